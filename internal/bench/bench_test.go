package main

import (
	"bytes"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kurama/logship/record"
)

const wrkSays = `Running 4s test @ http://127.0.0.1:8080/
  2 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.66ms    1.91ms  38.86ms   92.35%
    Req/Sec    23.19k     2.03k   29.30k    71.25%
  Latency Distribution
     50%    1.29ms
     75%    1.94ms
     90%    2.79ms
     99%  990.00us
  184748 requests in 4.01s, 23.43MB read
Requests/sec:  46071.94
Transfer/sec:      5.84MB
`

func TestWhatWrkSaysIsRead(t *testing.T) {
	got, err := parseWrk(wrkSays)
	if err != nil || got.rate != 46071.94 || got.p99 != 0.99 {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{
		strings.Replace(wrkSays, "Requests/sec:", "  Non-2xx or 3xx responses: 12\nRequests/sec:", 1),
		strings.Replace(wrkSays, "Requests/sec:", "  Socket errors: connect 0, read 3, write 0, timeout 0\nRequests/sec:", 1),
		"unable to connect",
	} {
		if _, err := parseWrk(bad); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}

func TestAProcessIsReadWhateverItsName(t *testing.T) {
	got, err := parseStat("42 (a) b (c) S 7 1 1 0 -1 4194560 1 2 3 4 150 50 20 5 20 0 11 0 100 1 2 3\n")
	if err != nil || got.pid != 42 || got.parent != 7 || got.name != "a) b (c" || got.cpu != 2*time.Second || got.reaped != 250*time.Millisecond {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"", "42 (a", "42 (a) S 1", "x (a) S 7 1 1 0 -1 4194560 1 2 3 4 150 50 20 5 20 0 11"} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}

func TestThisProcessUsesWhatItBurns(t *testing.T) {
	before, err := use(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	deadline, sum := time.Now().Add(20*time.Second), 0
	for {
		for i := range 10_000_000 {
			sum += i
		}
		now, err := use(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if now.since(before).total >= 50*time.Millisecond {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after 20 s of work (%d) the use is %s", sum, now.since(before).total)
		}
	}
	held, err := memoryOf(os.Getpid())
	if err != nil || held.rss < 1 || held.pss < 1 || held.pss > held.rss || held.peak < held.rss {
		t.Errorf("memory %+v, %v", held, err)
	}
}

func TestQuantilesAreInterpolated(t *testing.T) {
	values := []float64{4, 1, 3, 2}
	for _, c := range []struct{ q, want float64 }{{0, 1}, {0.5, 2.5}, {1, 4}, {0.99, 3.97}} {
		if got := quantile(values, c.q); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("quantile %g is %g, want %g", c.q, got, c.want)
		}
	}
	if values[0] != 4 || !math.IsNaN(median(nil)) {
		t.Errorf("values %v, median of none %g", values, median(nil))
	}
}

func TestARatioIsTakenRoundByRound(t *testing.T) {
	r := &report{}
	r.add(figure{Section: "s", Name: "rate", Unit: "/s", Runs: []float64{10, 40, 30}, Peer: "peer", PeerRuns: []float64{20, 50, 30}, Aim: ratioAtLeast(0.7)})
	r.add(figure{Section: "s", Name: "time", Unit: "s", Value: 3, Peer: "bound", PeerValue: 2, Aim: valueAtMost(2)})
	if f := r.Figures[0]; f.Value != 30 || f.PeerValue != 30 || f.Ratio != 0.8 || !*f.Met {
		t.Errorf("got %+v", f)
	}
	if f := r.Figures[1]; f.Ratio != 1.5 || *f.Met {
		t.Errorf("got %+v", f)
	}
	var out bytes.Buffer
	r.print(&out, "s")
	if text := out.String(); !strings.Contains(text, "met: ratio ≥ 0.7") || !strings.Contains(text, "missed: value ≤ 2") || !strings.Contains(text, "30 /s (10–40)") {
		t.Errorf("printed:\n%s", text)
	}
	path := filepath.Join(t.TempDir(), "new", "bench.json")
	if err := r.save(path); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || !bytes.Contains(text, []byte(`"peer_runs"`)) {
		t.Errorf("saved %s, %v", text, err)
	}
}

func TestNumbersAreShort(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.0123: "0.012", 0.5: "0.5", 1.25: "1.25", 12.04: "12", 123.4: "123", 1234567: "1 234 567", -1500: "-1 500"} {
		if got := number(v); got != want {
			t.Errorf("number(%g) is %q, want %q", v, got, want)
		}
	}
}

func TestSectionsAreChosenByName(t *testing.T) {
	chosen, err := choose([]string{"sdk", "router"})
	if err != nil || len(chosen) != 2 || chosen[0].name != "router" || chosen[1].name != "sdk" {
		t.Errorf("chose %v, %v", chosen, err)
	}
	if _, err := choose([]string{"rooter"}); err == nil || !strings.Contains(err.Error(), "latency") {
		t.Errorf("for an unknown name: %v", err)
	}
}

func TestALoadIsDistinctRecordsWithTheLastMarked(t *testing.T) {
	l, ids, apps := newLoad(1000, "x"), map[record.ID]bool{}, map[string]int{}
	err := record.Each(l.lines, func(r *record.Record) error {
		ids[r.ID] = true
		apps[r.App]++
		return nil
	})
	if err != nil || len(ids) != 1000 || apps["last-x"] != 1 || len(apps) != loadApps+1 {
		t.Errorf("%d ids, apps %v, %v", len(ids), apps, err)
	}
}

func TestSendingEndsWithTheLastAcknowledgement(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	answers := []string{"ack 400\nack 1000\n", "ack 400\n", "what?\n"}
	go func() {
		for _, answer := range answers {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, answer)
			_, _ = io.CopyN(io.Discard, conn, int64(len(newLoad(1000, "x").lines)))
			_ = conn.Close()
		}
	}()
	for i, want := range []bool{true, false, false} {
		if err := newLoad(1000, "x").send(t.Context(), path); (err == nil) != want {
			t.Errorf("after %q: %v", answers[i], err)
		}
	}
}

func TestALineCountsWhenItIsFirstInAFrame(t *testing.T) {
	v := &view{prefix: "tick ", after: map[int]time.Duration{}}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	frame := []byte(`{"t":1,"logs":[{"ts":"2026-01-02T03:04:05.000000Z","msg":"tick 7: x"},{"ts":"2026-01-02T03:04:04Z","msg":"other"}]}`)
	v.note(frame, at.Add(80*time.Millisecond))
	v.note(frame, at.Add(time.Second))
	if len(v.after) != 1 || v.after[7] != 80*time.Millisecond || v.err != nil {
		t.Errorf("noted %v, %v", v.after, v.err)
	}
}

func TestTheTimeOfAFrameIsAtItsBeginning(t *testing.T) {
	if made, ok := timeOfFrame([]byte(`{"t":1763632800250,"app":"x"}`)); !ok || made.UnixMilli() != 1763632800250 {
		t.Errorf("got %s, %v", made, ok)
	}
	if _, ok := timeOfFrame([]byte(`{"app":"x"}`)); ok {
		t.Error("a frame without time has one")
	}
}

func TestARowIsCommittedWhenThePositionPassesIt(t *testing.T) {
	at := time.Now()
	m := positions{seqs: []int64{10, 14, 20}, at: []time.Time{at, at.Add(time.Second), at.Add(2 * time.Second)}}
	for seq, want := range map[int64]int{9: 0, 10: 0, 11: 1, 14: 1, 20: 2} {
		if got := m.committed(seq); !got.Equal(m.at[want]) {
			t.Errorf("batch %d at %s", seq, got.Sub(at))
		}
	}
}

func TestTheIdealQueueGivesRequestsTheSlotThatIsFreeFirst(t *testing.T) {
	f := func(i ideal, free []float64, at, work, want float64) {
		t.Helper()
		slots := make([]slot, len(free))
		for k := range free {
			slots[k] = slot{free: free[k], last: k >= len(free)/2}
		}
		if got := i.serve(slots, at, work); math.Abs(got-want) > 1e-9 {
			t.Errorf("ends at %g, not %g", got, want)
		}
	}
	even := ideal{times: 10, from: math.Inf(1)}
	f(even, []float64{0, 0}, 1, 0.5, 1.5)   // both are free: the fast one
	f(even, []float64{3, 0}, 1, 0.5, 6)     // the slow one is free first
	f(even, []float64{1.2, 2}, 1, 0.5, 1.7) // none is free: it waits
	away := ideal{times: 1, from: 5, to: 7}
	f(away, []float64{9, 0}, 5.5, 0.5, 7.5) // while it is away nothing begins there
	f(away, []float64{9, 0}, 4.8, 0.5, 7.3) // what it works on stands still
	away.restarts = true
	f(away, []float64{6, 0}, 4.8, 0.5, 6.5) // … or begins anew elsewhere
	// 18 requests/s of 40 ms never wait: p99 is that of the log-normal time, 40·e^(0.3·2.326-0.045) ms = 76.8.
	alone := ideal{replicas: 4, slots: 4, rate: 18, length: 5000, times: 1, from: math.Inf(1)}
	if got := alone.p99(1); math.Abs(got-76.8) > 1 {
		t.Errorf("p99 %g ms", got)
	}
}
