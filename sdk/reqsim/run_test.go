package reqsim

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// app answers after known delays and counts what it is asked.
type app struct {
	*httptest.Server
	asked atomic.Int64
	host  atomic.Value
	held  chan struct{} // /held answers when it is closed
}

func newApp(t *testing.T) *app {
	t.Helper()
	a := &app{held: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello") })
	mux.HandleFunc("/slow", func(http.ResponseWriter, *http.Request) { time.Sleep(50 * time.Millisecond) })
	mux.HandleFunc("/broken", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", 500) })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) })
	mux.HandleFunc("/cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("/held", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-a.held:
		case <-r.Context().Done():
		}
	})
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.asked.Add(1)
		a.host.Store(r.Host)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(a.Close)
	return a
}

func run(t *testing.T, p Plan) Report {
	t.Helper()
	r, err := Run(t.Context(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAReportSaysWhatTheAppDid(t *testing.T) {
	a := newApp(t)
	snapshots := 0
	r, err := Run(t.Context(), Plan{URL: a.URL, Rate: 200, Duration: time.Second,
		Paths: []Path{{"/", 12}, {"/slow", 5}, {"/broken", 1}, {"/moved", 1}, {"/cut", 1}}}, func(Snapshot) { snapshots++ })
	if err != nil {
		t.Fatal(err)
	}
	// The HTTP client by itself sends a request again when a kept connection is closed under it: /cut does that.
	if asked := a.asked.Load(); asked < 200 || asked > 210 {
		t.Errorf("the app was asked %d times", asked)
	}
	if r.Requests != 200 || r.Planned != 200 || r.Unsent != 0 || r.Failed != 20 {
		t.Errorf("the report: %+v", r)
	}
	if r.Status["200"] != 170 || r.Status["500"] != 10 || r.Status["302"] != 10 {
		t.Errorf("the statuses are %v", r.Status)
	}
	if r.Errors["500 Internal Server Error"] != 10 || r.Errors["connection closed by the other side"] != 10 {
		t.Errorf("the errors are %v", r.Errors)
	}
	if math.Abs(*r.Success-0.9) > 1e-9 || math.Abs(r.Rate-200) > 20 || snapshots < 2 {
		t.Errorf("success %v, rate %v, %d snapshots", *r.Success, r.Rate, snapshots)
	}
	for _, p := range r.Paths {
		if p.Path == "/slow" && (p.Requests != 50 || p.Latency.P50 < 49.5 || p.Latency.P50 > 150 || p.Latency.Max < p.Latency.P99) {
			t.Errorf("/slow: %+v %+v", p, p.Latency)
		}
	}
	if r.Latency.P50 > 45 || r.Latency.P90 < 49 {
		t.Errorf("a quarter takes 50 ms: %+v", r.Latency)
	}
}

func TestALocalNameIsThisMachine(t *testing.T) {
	a := newApp(t)
	port := a.URL[strings.LastIndex(a.URL, ":"):]
	r := run(t, Plan{URL: "http://hello.tenant.localhost" + port, Rate: 20, Duration: 250 * time.Millisecond})
	if r.Requests != 5 || r.Failed != 0 || a.host.Load() != "hello.tenant.localhost"+port {
		t.Errorf("%d asked as %v: %+v", r.Requests, a.host.Load(), r.Errors)
	}
	run(t, Plan{URL: a.URL, Host: "other.example", Rate: 20, Duration: 100 * time.Millisecond})
	if a.host.Load() != "other.example" {
		t.Errorf("asked as %v", a.host.Load())
	}
}

func TestWhatGoesWrongIsTold(t *testing.T) {
	t.Run("an app that does not answer in time", func(t *testing.T) {
		a := newApp(t)
		r := run(t, Plan{URL: a.URL + "/held", Rate: 50, Duration: 100 * time.Millisecond, Timeout: 50 * time.Millisecond})
		if r.Errors["no whole answer within 50ms"] != 5 || *r.Success != 0 {
			t.Errorf("%+v", r)
		}
	})
	t.Run("nobody listens", func(t *testing.T) {
		a := newApp(t)
		a.Close()
		if r := run(t, Plan{URL: a.URL, Rate: 50, Duration: 100 * time.Millisecond}); r.Errors["connection refused"] != 5 {
			t.Errorf("%+v", r.Errors)
		}
	})
	t.Run("requests that could not be sent in time are counted", func(t *testing.T) {
		a := newApp(t)
		r := run(t, Plan{URL: a.URL + "/slow", Rate: 100, Duration: 500 * time.Millisecond, MaxInFlight: 1})
		if r.Unsent == 0 || r.Requests+r.Unsent != 50 || r.Late.Max < tooLate || !strings.Contains(r.Text(), "fell behind") {
			t.Errorf("%d sent, %d not; late %+v\n%s", r.Requests, r.Unsent, r.Late, r.Text())
		}
	})
}

func TestAStoppedRunStillReports(t *testing.T) {
	a := newApp(t)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := Run(ctx, Plan{URL: a.URL, Paths: []Path{{"/", 9}, {"/held", 1}}, Rate: 100, Duration: time.Hour}, func(s Snapshot) {
		if s.Answered >= 50 {
			cancel()
		}
	})
	if err != nil || r.Requests < 50 || r.Stopped == 0 || r.Requests+r.Stopped+r.Unsent != 360_000 || r.Failed != 0 {
		t.Errorf("%v: %d answered, %d stopped, %d unsent, %d failed", err, r.Requests, r.Stopped, r.Unsent, r.Failed)
	}
	data, err := r.JSON()
	var back Report
	if err != nil || json.Unmarshal(data, &back) != nil || back.Requests != r.Requests {
		t.Errorf("the JSON is %s, %v", data, err)
	}
}

func TestAReportReadsWell(t *testing.T) {
	l := Latency{Mean: 6.2, P50: 5, P90: 9.4, P95: 12, P99: 250, P999: 1250, Max: 61_000}
	share := 0.75
	r := Report{Target: "http://hello.localhost:8080", Shape: Sine, Seconds: 10.04, Requests: 4, Failed: 1, Planned: 6, Unsent: 1, Stopped: 1, Rate: 0.4,
		Success: &share, Status: map[string]int{"200": 3, "502": 1}, Errors: map[string]int{"502 Bad Gateway": 1}, Latency: &l, Late: &Latency{},
		Paths: []PathReport{{"/", 3, 0, &l}, {"/slow", 1, 1, &l}}}
	want := `http://hello.localhost:8080: 4 requests in 10.0 s, 0.4/s (sine)
75.00 % succeeded, 1 failed

  requests  failed     p50     p90    p95     p99  p99.9      max    mean  path
         3       0  5.0 ms  9.4 ms  12 ms  250 ms  1.2 s  1.0 min  6.2 ms  /
         1       1  5.0 ms  9.4 ms  12 ms  250 ms  1.2 s  1.0 min  6.2 ms  /slow
         4       1  5.0 ms  9.4 ms  12 ms  250 ms  1.2 s  1.0 min  6.2 ms  all

status  200: 3  502: 1
error   1 × 502 Bad Gateway
Of 6 planned requests 1 were not sent and 1 cut short.
`
	if got := r.Text(); got != want {
		t.Errorf("the text is\n%s\nnot\n%s", got, want)
	}
}
