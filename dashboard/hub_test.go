package dashboard

import (
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/logship/record"
	"kurama/logship/stream"
)

var update = flag.Bool("update", false, "write the golden files")

// moment is the time of the tests that need none of their own.
var moment = time.Date(2025, 11, 20, 10, 0, 0, 250e6, time.UTC)

// still makes a hub whose clock stands at moment.
func still() *hub {
	h := newHub(config.Default().Dashboard, nil, newCounters(nil), slog.New(slog.DiscardHandler))
	h.clock = func() time.Time { return moment }
	return h
}

func (h *hub) feed(at time.Time, records ...record.Record) {
	var data []byte
	for i := range records {
		data = record.Append(data, &records[i])
	}
	h.take(&stream.Batch{At: at, Data: data, Records: len(records)})
}

func TestAFrameHasItsForm(t *testing.T) {
	h := still()
	host := record.Record{Time: moment, Kind: record.KindSample, Replica: "host", CPU: record.Num(33), Disk: record.Num(14), Mem: record.Num(20.1)}
	event := record.Record{Time: moment, Kind: record.KindEvent, Level: record.LevelInfo, Tenant: "acme", App: "hello",
		Msg: "2 → 4 replicas", Extra: []byte(`{"event":"scaled"}`)}
	records := []record.Record{sample(moment, "hello-3-abcdef", 12.5), queue(moment, 2, 0), request(moment, 200, 3.1), request(moment, 404, 8.2),
		request(moment, 500, 12), logLine(moment, record.LevelInfo, "hello <world>"), event, host}
	for i := range records {
		records[i].ID = record.ID{1, 2, 3, byte(i)}
	}
	h.feed(moment, records...)
	one, all := h.open(key{"acme", "hello"}), h.open(key{"acme", ""})
	h.refresh(one, moment)
	h.refresh(all, moment)
	golden(t, "snapshot.json", h.whole(one, 0))
	golden(t, "all.json", h.whole(all, 0))
	h.tick++
	next := request(moment, 200, 4)
	next.ID = record.ID{9}
	h.feed(moment, next)
	golden(t, "delta.json", h.whole(one, h.tick-1))
}

// whole builds a frame with its logs.
func (h *hub) whole(s *series, since uint64) []byte {
	b := h.build(s, moment, since)
	picked, more := s.lines.pick(since, &filter{}, h.cfg.LogLines)
	return append(b.frame.logs(b.head, picked, uint64(more)), b.tail...)
}

func golden(t *testing.T, name string, frame []byte) {
	t.Helper()
	if !json.Valid(frame) {
		t.Fatalf("not JSON: %s", frame)
	}
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, append(frame, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(want)) != string(frame) {
		t.Errorf("%s:\n%s\nis not\n%s", name, frame, want)
	}
}

func TestRecordsOfTheWrongTime(t *testing.T) {
	h := still()
	h.feed(moment, sample(moment, "r1", 10), queue(moment, 1, 0), request(moment, 200, 5))
	s := h.open(key{"acme", "hello"})
	before := string(h.whole(s, 0))
	newest := s.points.newest

	t.Run("samples of the past or the future change nothing", func(t *testing.T) {
		for _, off := range []time.Duration{-time.Hour, -6 * time.Second, 3 * time.Second, time.Hour} {
			h.feed(moment, sample(moment.Add(off), "r1", 99), sample(moment.Add(off), "r2", 99), queue(moment.Add(off), 50, 50))
		}
		if after := string(h.whole(s, 0)); after != before || s.points.newest != newest {
			t.Errorf("the frame was\n%s\nand is\n%s", before, after)
		}
	})
	t.Run("a request of the future is counted but makes no point", func(t *testing.T) {
		h.feed(moment, request(moment.Add(time.Hour), 200, 5))
		if s.points.newest != newest || s.requests != 2 {
			t.Errorf("newest point %d, requests %d", s.points.newest, s.requests)
		}
	})
	t.Run("a request that took long is counted in the second in which it came", func(t *testing.T) {
		h.feed(moment, request(moment.Add(-70*time.Second), 200, 70_000))
		if p := s.points.at(moment.Unix() - 70); p.req != 1 {
			t.Errorf("that second has %d requests", p.req)
		}
	})
	t.Run("history that is read back counts as it did live", func(t *testing.T) {
		old := moment.Add(-10 * time.Minute)
		h.feed(old, sample(old, "r3", 5), request(old, 200, 5))
		if p := s.points.at(old.Unix()); p.req != 1 || p.replicas != 1 {
			t.Errorf("that second is %+v", p)
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	t.Run("routes beyond the bound are counted as one", func(t *testing.T) {
		rs := routes{}
		for i := range 500 {
			r := request(moment, 200, 1)
			r.Route = fmt.Sprintf("/%d", i)
			rs.add("", &r)
		}
		total := 0
		for _, row := range rs.rows(float64(moment.Unix())) {
			total += row.requests
		}
		if len(rs) > maxRoutes+1 || total != 500 {
			t.Errorf("%d routes with %d requests", len(rs), total)
		}
	})
	t.Run("routes go after five minutes", func(t *testing.T) {
		rs := routes{}
		r := request(moment, 200, 1)
		rs.add("", &r)
		if n := len(rs.rows(float64(moment.Unix() + 299))); n != 1 {
			t.Errorf("%d routes after 299 s", n)
		}
		if n := len(rs.rows(float64(moment.Unix() + 330))); n != 0 || len(rs) != 0 {
			t.Errorf("%d routes after 330 s", n)
		}
	})
	t.Run("a new replica takes the place of the longest silent one", func(t *testing.T) {
		h := still()
		for i := range maxReplicas + 1 {
			at := moment.Add(time.Duration(i) * time.Second)
			h.clock = func() time.Time { return at }
			h.feed(at, sample(at, fmt.Sprintf("r%d", i), 10))
		}
		s := h.open(key{"acme", "hello"})
		if len(s.figures) != maxReplicas || s.figures["r0"] != nil || s.figures[fmt.Sprintf("r%d", maxReplicas)] == nil {
			t.Errorf("%d replicas are kept", len(s.figures))
		}
	})
	t.Run("a silent app is forgotten after the history, a watched one is not", func(t *testing.T) {
		h := still()
		h.feed(moment, sample(moment, "r1", 10))
		h.topics[key{"acme", ""}] = newTopic()
		h.forget(moment.Add(time.Duration(h.seconds-1) * time.Second))
		if len(h.series) != 2 {
			t.Errorf("%d series within the history", len(h.series))
		}
		h.forget(moment.Add(time.Duration(h.seconds+1) * time.Second))
		if len(h.series) != 1 || len(h.series[key{"acme", ""}].figures) != 0 {
			t.Errorf("%d series after it", len(h.series))
		}
	})
	t.Run("a long message is cut between two characters", func(t *testing.T) {
		if got := cut(strings.Repeat("é", 2000), 5); got != "éé …" {
			t.Errorf("cut to %q", got)
		}
	})
}

func FuzzFilter(f *testing.F) {
	f.Add([]byte(`{"filter":{"level":"WARNING","text":"x","route":"/","kind":"log"}}`))
	f.Add([]byte(`{"filter":null}`))
	f.Fuzz(func(t *testing.T, message []byte) {
		got, err := parseFilter(message)
		if err == nil && (len(got.text) > maxFilter || len(got.route) > maxFilter) {
			t.Errorf("%q gives a filter of %d bytes", message, len(got.text)+len(got.route))
		}
	})
}
