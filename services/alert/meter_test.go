package alert

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"kurama/logship/record"
	"kurama/paas"
)

func TestCallsLookAtAWindowOfTheirOwn(t *testing.T) {
	tests := map[string]string{
		`p95(dur, "5m") > 200 && rate("1m") > 1`:            "p95(dur, 5 min) > 200 ms and rate(1 min) > 1 req/s",
		`count(level >= ERROR, "5m") >= 10`:                 "count(level >= ERROR, 5 min) >= 10",
		`count("90s", status == 404 and route == "/x") > 3`: `count(1 min 30 s, status == 404 and route == "/x") > 3`,
		`nodata("10m")`:                         "nodata(10 min)",
		`not nodata("10m") and cpu > 90 for 1m`: "not nodata(10 min) and cpu > 90 % for 1 min",
		`new_exception()`:                       "new_exception()",
		`OOM("1h") or MAX(mem, '30s') > 95%`:    "oom(1 h) or max(mem, 30 s) > 95 %",
		`mean(queue, "1m") > 1s`:                "mean(queue, 1 min) > 1 s",
	}
	for text, want := range tests {
		c, err := Compile(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := c.Phrase(nil); !strings.HasPrefix(got, want) || c.Holds(nil) {
			t.Errorf("%s reads as %q, want %q; without figures it holds: %v", text, got, want, c.Holds(nil))
		}
	}
	mistakes := map[string]string{
		`p95(dur) > 200`:                       "`p95` needs a window in quotes: write `p95(dur, \"5m\")` (character 1)",
		`cpu > 1 and p95("5m") > 200`:          "is no field that `p95` can be taken of: dur, queue, cpu_ms, db_ms, bytes, cpu, mem, disk and swap are (character 17)",
		`cpu > 1 and p97(dur, "5m") > 200`:     "There is no function called `p97`",
		`count("5m") > 3`:                      "`count` needs a condition on records",
		`count(colour > 3, "5m") > 3`:          "A record has no field called `colour`",
		`count(level >= 200ms, "5m") > 3`:      "compares a log level with a time (character 16)",
		`rate("5 parsecs") > 3`:                "`5 parsecs` is no window: write it as \"30s\", \"5m\" or \"1h\" (character 6)",
		`rate("2h") > 3`:                       "`2h` is no window: 10 s to 1 h can be looked at (character 6)",
		`count(msg matches "(", "5m") > 3`:     "is no regular expression",
		`p95(dur, "5m") > 90%`:                 "compares a time with percent (character 18)",
		`rate("1m")`:                           "is a number, neither true nor false",
		`count(status == 404 or true, "5m")>1`: "`true` is no condition on a record",
	}
	for text, want := range mistakes {
		_, err := Compile(text)
		var invalid *paas.Invalid
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), want) || invalid.Text != text || invalid.At < 1 {
			t.Errorf("Compile(%q) = %v, at %+v\n  want %q", text, err, invalid, want)
		}
	}
}

// measured returns what a condition's figures are after records, at now.
func measured(t *testing.T, text string, now time.Time, records ...*record.Record) (Figures, *Condition) {
	t.Helper()
	c, err := Compile(text)
	if err != nil {
		t.Fatal(err)
	}
	w := newWatch()
	w.meter(hello, c, time.Time{})
	for _, r := range records {
		w.observe(r, r.Time)
	}
	return w.figures(hello, now), c
}

func TestWindows(t *testing.T) {
	at := func(s float64) time.Time { return noon.Add(time.Duration(s * float64(time.Second))) }
	var traffic []*record.Record // ten minutes, two requests a second, of 1 to 1200 ms, every tenth a 404
	for i := range 1200 {
		r := requestAt(at(float64(i)/2), 200, float64(i+1))
		if r.Route = "/x"; i%10 == 0 {
			r.Status, r.Route = 404, "/y"
		}
		traffic = append(traffic, r)
	}
	end := at(599.9)
	for text, want := range map[string]float64{
		`p95(dur, "5m") > 1`: 1170, `p50(dur, "10m") > 1`: 600, `max(dur, "1m") > 1`: 1200, `min(dur, "1m") > 1`: 1081, `mean(dur, "1m") > 1`: 1140.5,
		`sum(dur, "10s") > 1`: 23810, `rate("5m") > 1`: 2, `rate(status == 404, "5m") > 1`: 0.2, `count(route == "/y", "5m") > 1`: 60,
		`count(not (status == 404), "5m") > 1`: 540, `p95(dur, "5m", status == 404) > 1`: 1161, `count(dur > 1s, "5m") > 1`: 200,
	} {
		f, c := measured(t, text, end, traffic...)
		if got, ok := f[c.subject]; !ok || math.Abs(got-want) > 0.012*want {
			t.Errorf("%s: %v (known %v), want %v", text, got, ok, want)
		}
	}
	t.Run("what left the window counts no more", func(t *testing.T) {
		f, c := measured(t, `count(status == 404, "1m") > 1`, at(630), traffic...)
		if f[c.subject] != 5 {
			t.Errorf("%v, want the 5 of the last half minute", f[c.subject])
		}
	})
	t.Run("no data is known once the whole window was watched", func(t *testing.T) {
		for until, holds := range map[float64]bool{620: false, 700: false, 1205: true} {
			f, c := measured(t, `nodata("10m")`, at(until), traffic...)
			if c.Holds(f) != holds {
				t.Errorf("at %v s nodata is %v", until, f)
			}
		}
		f, c := measured(t, `nodata("10m")`, at(60), sampleAt(at(0), "a", record.Num(1)))
		if _, ok := f["nodata(10 min)"]; ok || c.Holds(f) {
			t.Errorf("after a minute nodata is known: %v", f)
		}
	})
	t.Run("a sample's figure is of the replicas", func(t *testing.T) {
		router := sampleAt(at(1), "router", record.Num(99))
		f, c := measured(t, `max(cpu, "1m") > 90`, at(2), sampleAt(at(0), "a", record.Num(93)), sampleAt(at(1), "a", record.Num(20)), router)
		if f[c.subject] != 93 || !c.Holds(f) {
			t.Errorf("%v", f)
		}
	})
	t.Run("a replica killed for memory", func(t *testing.T) {
		killed := &record.Record{Time: at(0), Kind: record.KindEvent, Tenant: "default", App: "hello", Extra: []byte(`{"event":"oom_killed"}`)}
		other := &record.Record{Time: at(0), Kind: record.KindEvent, Tenant: "default", App: "hello", Extra: []byte(`{"event":"scaled"}`)}
		f, c := measured(t, `oom()`, at(200), killed)
		g, _ := measured(t, `oom()`, at(200), other)
		if !c.Holds(f) || c.Holds(g) {
			t.Errorf("killed %v, scaled %v", f, g)
		}
	})
	t.Run("an exception is new once", func(t *testing.T) {
		fails := func(s float64, trace string) *record.Record {
			r := requestAt(at(s), 500, 3)
			r.Exc = trace
			return r
		}
		one := "Traceback (most recent call last):\n  File \"/app/app.py\", line 7, in index\n    f()\n  File \"/app/shop.py\", line 3, in f\nKeyError: 'a'"
		same := "Traceback (most recent call last):\n  File \"/app/app.py\", line 9, in index\n    f()\n  File \"/app/shop.py\", line 4, in f\nKeyError: 'b'"
		f, c := measured(t, `new_exception("5m")`, at(100), fails(0, one), fails(90, same))
		g, _ := measured(t, `new_exception("5m")`, at(400), fails(0, one), fails(390, same))
		if !c.Holds(f) || c.Holds(g) || f["new_exception(5 min)"] != 1 || kindOf(one) != "KeyError in /app/shop.py, f" || kindOf(one) != kindOf(same) {
			t.Errorf("first %v, later %v, kind %q", f, g, kindOf(one))
		}
	})
}
