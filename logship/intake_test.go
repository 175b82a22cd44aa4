package logship

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"kurama/logship/record"
)

func readLines(in io.Reader, limit int) (got []string) {
	l := newLineReader(in, limit)
	for {
		line, cut, err := l.next()
		if err != nil {
			return got
		}
		got = append(got, fmt.Sprintf("%s+%d", line, cut))
	}
}

func TestLinesAreReadWithoutKeepingMoreThanTheLimit(t *testing.T) {
	text := "a\n\n" + strings.Repeat("b", firstBuffer*3) + "\nc\n" + strings.Repeat("d", 20_000) + "\ncut off"
	want := []string{"a+0", "+0", strings.Repeat("b", 10_000) + fmt.Sprintf("+%d", firstBuffer*3-10_000), "c+0",
		strings.Repeat("d", 10_000) + "+10000"}
	for name, in := range map[string]io.Reader{"at once": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text)),
		"in halves": iotest.HalfReader(strings.NewReader(text))} {
		if got := readLines(in, 10_000); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: the %d lines are wrong", name, len(got))
		}
	}
}

func FuzzLineReader(f *testing.F) {
	f.Add([]byte("a\nbcd\n\ne"), uint8(2))
	f.Fuzz(func(t *testing.T, in []byte, limit uint8) {
		got := readLines(iotest.HalfReader(bytes.NewReader(in)), int(limit)+1)
		whole := bytes.Split(in, []byte("\n"))
		if len(got) != len(whole)-1 {
			t.Fatalf("%d lines of %d", len(got), len(whole)-1)
		}
		for i, line := range whole[:len(whole)-1] {
			head := line[:min(len(line), int(limit)+1)]
			if want := fmt.Sprintf("%s+%d", head, len(line)-len(head)); got[i] != want {
				t.Fatalf("line %d is %q instead of %q", i, got[i], want)
			}
		}
	})
}

func TestTextsAreCutWithAMarkAndExtraIsMadeFit(t *testing.T) {
	r := record.Record{Msg: strings.Repeat("ä", 100), Exc: "a\x00b", Extra: []byte(`{"a":"\u0000x","b":["\ud800"],"n":1e400}`)}
	clean(&r, 51)
	if r.Msg != strings.Repeat("ä", 25)+"… (cut: 150 bytes more)" || r.Exc != "a\ufffdb" || string(r.Extra) != `{"a":"`+"\ufffd"+`x","b":["`+"\ufffd"+`"],"n":1e400}` {
		t.Errorf("the record became %+v %s", r, r.Extra)
	}
	r.Extra = []byte(`{"a":"` + strings.Repeat("x", 60) + `"}`)
	if clean(&r, 51); string(r.Extra) != `{"cut":68}` {
		t.Errorf("a long extra became %s", r.Extra)
	}
}

func FuzzClean(f *testing.F) {
	f.Add([]byte(`{"msg":"\u0000","extra":{"event":"Scaled ","\ud800":{"\u0000":[1,"\udfff"]}}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		var r record.Record
		if record.Decode(line, &r) != nil {
			textRecord(&r, line)
		}
		if len(r.Extra) > 0 {
			r.Extra = appEvent(r.Extra)
		}
		clean(&r, 40)
		out := record.Append(nil, &r)
		nul := bytes.Contains(bytes.ReplaceAll(out, []byte(`\\`), nil), []byte(`\u0000`))
		if !utf8.Valid(out) || nul || !json.Valid(out) || bytes.Count(out, []byte("\n")) != 1 {
			t.Fatalf("the line is %s", out)
		}
	})
}

func TestAnAppCannotBearAPlatformsEventName(t *testing.T) {
	for extra, want := range map[string]string{
		`{"event":"deployed"}`:                    `{"event":"app.deployed"}`,
		`{"event":"x","event":"crashed"}`:         `{"event":"app.crashed"}`,
		`{"Event":" SCALED"}`:                     `{"Event":"app. SCALED"}`,
		`{"event":"signup","count":1}`:            `{"count":1,"event":"signup"}`,
		`{"event":7}`:                             `{"event":7}`,
		`{"eve\u006et":"dropped"}`:                `{"event":"app.dropped"}`,
		`{"event":"dropped","count":-3}`:          `{"count":-3,"event":"app.dropped"}`,
		`{"event":"dropped","count":3,"x":"y"}`:   `{"event":"dropped","count":3}`, // its client's
		`{"event":"app.deployed","deployed":"x"}`: `{"deployed":"x","event":"app.deployed"}`,
	} {
		if got := appEvent([]byte(extra)); string(got) != want {
			t.Errorf("%s became %s", extra, got)
		}
	}
}

func TestWhatIsOverTheRateIsCountedAndTold(t *testing.T) {
	d := newDocker(t)
	d.ship.RateLimit, d.ship.RateBurst = 50, 100
	d.agent(d.engine)
	const n = 3000
	d.start("noisy-3-abcdef", fmt.Sprintf("count:%d", n))
	kept, dropped := 0, 0
	for kept+dropped < n {
		kept, dropped = 0, 0
		for _, r := range d.records(1, func(r *record.Record) bool { return r.App == "noisy" && r.Kind != record.KindSample }) {
			if r.Kind == record.KindLog {
				kept++
			} else {
				dropped += droppedCount(&r)
			}
		}
		wait(t.Context(), 0)
	}
	if kept+dropped != n || kept < 100 || kept > 1000 {
		t.Errorf("%d are kept and %d dropped of %d", kept, dropped, n)
	}
}

func TestTheNewestOfTooManyIDsAreKnown(t *testing.T) {
	s := &seen{ids: map[record.ID]struct{}{}}
	const n = maxSeen + maxSeen/4
	ids := make([]record.ID, n)
	var batch []byte
	for i := range ids {
		ids[i] = record.NewID(time.Now())
		batch = record.Append(batch, &record.Record{ID: ids[i], Msg: "x"})
		if len(batch) > 1<<20 || i == n-1 {
			if err := s.addAll(batch); err != nil {
				t.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	for i := n - maxSeen/2; i < n; i++ {
		if !s.has(ids[i]) {
			t.Fatalf("id %d of %d is forgotten", i, n)
		}
	}
	if len(s.ids)+len(s.older) > maxSeen {
		t.Errorf("%d ids are in memory", len(s.ids)+len(s.older))
	}
}

// safeUpTo notes how far it is durable.
type safeUpTo struct{ at int64 }

func (s *safeUpTo) durable(position int64) { s.at = position }

func TestNothingIsAcknowledgedBeforeALossAmongItIsTold(t *testing.T) {
	b := newBatcher(100, 1<<20, time.Hour, func() string { return "b" })
	l := &losses{total: func(int) {}, counts: map[loss]int{}}
	of, other := &safeUpTo{}, &safeUpTo{}
	ship := func() (events int) {
		t.Helper()
		if _, err := b.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := <-b.sealed
		_ = record.Each(got.data, func(r *record.Record) error { events += toldDropped(r.Extra); return nil })
		b.finish(got)
		return events
	}
	add := func(from source, position int64) {
		t.Helper()
		if err := b.add(t.Context(), nil, from, position, false); err != nil {
			t.Fatal(err)
		}
	}
	add(of, 1)
	l.add("t", "a", "flood", 2)
	b.hold(of)
	add(of, 3)
	add(other, 7)
	if n := ship(); n != 0 || of.at != 1 || other.at != 7 {
		t.Errorf("before it is told of: %d told, safe up to %d and %d", n, of.at, other.at)
	}
	add(of, 4)
	if told, err := b.release(t.Context(), l.take); err != nil || !told {
		t.Fatal(told, err)
	}
	add(of, 5)
	if n := ship(); n != 2 || of.at != 5 {
		t.Errorf("%d told, safe up to %d", n, of.at)
	}
}
