package reqsim

import (
	"strings"
	"testing"
	"time"
)

func TestEnsure(t *testing.T) {
	share := 0.99
	r := Report{Requests: 200, Failed: 2, Rate: 40, Success: &share, Apdex: map[string]float64{"100ms": 0.95},
		Latency: &Latency{P50: 10, P95: 74.9, P99: 200, P999: 900, Max: 1000}, Late: &Latency{P99: 3}}
	f := func(text string, holds bool) {
		t.Helper()
		e, err := ParseEnsure(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			return
		}
		if v := e.Check(r); v.Holds != holds || v.Value == nil {
			t.Errorf("%q: %+v", text, v)
		}
	}
	f("p95 < 75ms", true)
	f("p95<0.07s", false)
	f("p99.9 <= 900 ms", true)
	f("max < 1s", false)
	f("max <= 1s", true)
	f("error_rate < 1%", false)
	f("error_rate <= 0.011", true)
	f("success >= 99%", true)
	f("apdex(100ms) > 0.95", false)
	f("apdex(100ms) >= 0.95", true)
	f("rate > 39/s", true)
	f("requests == 200", true)
	f("failed < 3", true)
	f("late_p99 < 10ms", true)
	for text, want := range map[string]string{
		"p95":                  "is not a condition: write it as",
		"p95 < fast":           "is not a condition",
		"p97 < 10ms":           "there is no figure p97. There are apdex, error_rate, failed",
		"p95 < 75":             "p95 needs ms or s behind its limit",
		"p95 < 75%":            "p95 needs ms or s",
		"requests > 10ms":      "requests is not in ms",
		"apdex > 0.9":          "needs a time in brackets",
		"p95(10ms) < 10ms":     "and nothing else, needs a time in brackets",
		"apdex(often) > 1":     `"often" is not a time`,
		"error_rate < 1.2.3 %": "1.2.3 is not a number",
	} {
		if _, err := ParseEnsure(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	t.Run("what is not known does not hold, and says so", func(t *testing.T) {
		e, err := ParseEnsure("p95 < 75ms")
		if err != nil {
			t.Fatal(err)
		}
		if v := e.Check(Report{}); v.Holds || v.Value != nil || !strings.Contains(v.Text(), "nothing was answered") {
			t.Errorf("%+v", v)
		}
	})
}

func TestApdex(t *testing.T) {
	a := newApp(t)
	var list []Ensure
	for _, text := range []string{"apdex(30ms) > 0.7", "apdex(5s) == 1", "apdex(1ms) < 0.9"} {
		e, err := ParseEnsure(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	// Half of the requests take 50 ms: more than 30 ms, less than four times that.
	r := run(t, Plan{URL: a.URL, Rate: 40, Duration: time.Second, Paths: []Path{{"/", 1}, {"/slow", 1}}, Ensure: list[:2]})
	if got := r.Apdex["30ms"]; got < 0.6 || got > 0.8 || r.Apdex["5s"] != 1 || len(r.Ensure) != 2 {
		t.Errorf("%v, %+v", r.Apdex, r.Ensure)
	}
	if !strings.Contains(r.Text(), "✓ apdex(5s) == 1 (1)") {
		t.Errorf("%s", r.Text())
	}
	// An answer that failed satisfies nobody.
	r = run(t, Plan{URL: a.URL + "/broken", Rate: 40, Duration: 200 * time.Millisecond, Ensure: list})
	if r.Apdex["5s"] != 0 || r.Holds() {
		t.Errorf("%v", r.Apdex)
	}
}
