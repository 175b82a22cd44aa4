package logship

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kurama/logship/record"
)

func writeLimits(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWhatATenantMayLogInADay(t *testing.T) {
	dir := t.TempDir()
	limits := filepath.Join(dir, "limits.json")
	writeLimits(t, limits, `{"default":100,"tenants":{"rich":0}}`)
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	a, err := openAllowances(limits, dir, noon)
	if err != nil {
		t.Fatal(err)
	}
	poor, rich := a.of("poor"), a.of("rich")
	if !poor.take(60) || poor.take(60) || !poor.take(40) || poor.take(1) || !rich.take(1<<40) {
		t.Errorf("poor has %d, dropped %d; rich has %d", poor.used.Load(), poor.dropped.Load(), rich.used.Load())
	}
	t.Run("is kept over a restart of the agent", func(t *testing.T) {
		if err := a.look(noon); err != nil {
			t.Fatal(err)
		}
		again, err := openAllowances(limits, dir, noon.Add(time.Hour))
		if err != nil || again.of("poor").used.Load() != 100 || again.of("poor").dropped.Load() != 2 || again.of("poor").take(1) {
			t.Errorf("%v %d", err, again.of("poor").used.Load())
		}
	})
	t.Run("grows when the operator gives more, without a restart", func(t *testing.T) {
		writeLimits(t, limits, `{"default":100,"tenants":{"rich":0,"poor":300}}`)
		if err := os.Chtimes(limits, noon, noon); err != nil {
			t.Fatal(err)
		}
		if err := a.look(noon); err != nil || !poor.take(100) {
			t.Errorf("%v %d", err, poor.limit.Load())
		}
	})
	t.Run("begins anew at midnight", func(t *testing.T) {
		if err := a.look(noon.Add(12 * time.Hour)); err != nil || poor.used.Load() != 0 || !poor.take(300) || poor.take(1) {
			t.Errorf("%v %d", err, poor.used.Load())
		}
	})
	t.Run("stays as it was where the file is spoilt, and says so", func(t *testing.T) {
		writeLimits(t, limits, `{"default":`)
		if err := a.look(noon.Add(13 * time.Hour)); err == nil || poor.limit.Load() != 300 {
			t.Errorf("%v %d", err, poor.limit.Load())
		}
	})
}

func TestALossThatLastsIsToldAtOnceAndThenSeldom(t *testing.T) {
	now := time.Now()
	l := &losses{total: func(int) {}, counts: map[loss]int{}, slow: "day", told: map[loss]time.Time{}}
	told := func(at time.Duration) (counts []string) {
		l.add("acme", "shop", "day", 5)
		for _, e := range l.take(now.Add(at)) {
			counts = append(counts, string(e.Extra))
		}
		return counts
	}
	for _, c := range []struct {
		at   time.Duration
		want string
	}{{0, `[{"event":"dropped","count":5}]`}, {time.Second, "[]"}, {2 * time.Second, "[]"}, {toldAgain, `[{"event":"dropped","count":15}]`}, {toldAgain + time.Second, "[]"}} {
		if got := fmt.Sprint(told(c.at)); got != c.want {
			t.Errorf("after %s: %s", c.at, got)
		}
	}
}

func TestWhatIsOverTheDayIsDroppedAndToldOnce(t *testing.T) {
	d := newDocker(t)
	limits := filepath.Join(d.run, "log-limits.json")
	writeLimits(t, limits, `{"default":2000}`)
	d.agent(func(o *Options) {
		d.engine(o)
		o.Limits = limits
	})
	d.start("noisy-3-abcdef", "count:3000")
	var events []record.Record
	for kept, dropped := 0, 0; dropped == 0; wait(t.Context(), 20*time.Millisecond) {
		kept, dropped, events = 0, 0, events[:0]
		for _, r := range d.records(1, func(r *record.Record) bool { return r.App == "noisy" && r.Kind != record.KindSample }) {
			if r.Kind == record.KindLog {
				kept += len(r.Msg)
				continue
			}
			dropped += droppedCount(&r)
			events = append(events, r)
		}
		if kept > 2000 {
			t.Fatalf("%d bytes are kept of 2000", kept)
		}
	}
	if len(events) != 1 || !strings.Contains(events[0].Msg, "as much as they may in a day") {
		t.Errorf("told: %+v", events)
	}
	for deadline := time.Now().Add(20 * time.Second); ; wait(t.Context(), 20*time.Millisecond) {
		found, err := ReadLogged(filepath.Join(d.run, "spool"))
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("%+v %v", found, err)
		}
		for _, one := range found.Tenants {
			if one.Bytes > 1900 && one.Bytes <= 2000 && one.Dropped > 2000 {
				return
			}
		}
	}
}
