package reqsim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const shopping = `
url: ADDRESS
headers: {X-Test: "1"}
warm_up: 100ms
phases:
  - {name: calm, rate: 40, for: 300ms}
  - {shape: pause, for: 100ms}
  - {name: rush, shape: ramp, rate: 20, peak: 60, for: 500ms}
data: {people: people.csv}
requests:
  - {get: /, weight: 3}
  - weight: 1
    steps:
      - post: /login
        body: '{"name": "{{people.name}}"}'
        headers: {Content-Type: application/json}
        capture: {token: {json: session.token}}
        think: 5ms-10ms
      - {name: basket, get: "/basket/{{token}}?n={{n}}", cookies: {colour: red}, capture: {item: {regexp: "item-([0-9]+)"}}}
      - {name: buy, put: "/item/{{item}}"}
ensure: ["error_rate == 0%", "p95 < 5s"]
`

func files(name string) (io.ReadCloser, error) {
	if name != "people.csv" {
		return nil, fmt.Errorf("there is no %s", name)
	}
	return io.NopCloser(strings.NewReader("name,age\nann,7\nbob,9\n")), nil
}

func planOf(t *testing.T, text string) Plan {
	t.Helper()
	s, err := ParseScenario([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var p Plan
	if err := s.Apply(&p, files); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAScenarioIsSentStepByStep(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		key := r.Method + " " + r.URL.Path
		switch {
		case r.Header.Get("X-Test") != "1" || r.Header.Get("X-Vegeta-Seq") != "":
			http.Error(w, "headers", 400)
		case r.URL.Path == "/login":
			var in struct{ Name string }
			_ = json.Unmarshal(body, &in)
			key += " " + in.Name
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: in.Name})
			fmt.Fprintf(w, `{"session": {"token": "t-%s"}}`, in.Name)
		case strings.HasPrefix(r.URL.Path, "/basket/t-"):
			sid, err := r.Cookie("sid")
			colour, err2 := r.Cookie("colour")
			if err != nil || err2 != nil || r.URL.Path != "/basket/t-"+sid.Value || colour.Value != "red" || r.URL.Query().Get("n") == "" {
				http.Error(w, "cookies", 400)
			}
			_, _ = io.WriteString(w, "<li>item-42</li>")
		}
		seen[key]++
	}))
	defer shop.Close()
	r := run(t, planOf(t, strings.Replace(shopping, "ADDRESS", shop.URL, 1)))
	// 12 + 20 visits, every fourth of which has three steps; 4 visits are for warming up.
	if seen["GET /"] != 24 || seen["POST /login ann"]+seen["POST /login bob"] != 8 || seen["PUT /item/42"] != 8 {
		t.Errorf("the shop saw %v", seen)
	}
	if !r.Holds() || r.Failed != 0 || r.WarmUp < 4 || r.Requests+r.WarmUp != 24+3*8 || r.Planned != 32 {
		t.Errorf("%s", r.Text())
	}
	if len(r.Phases) != 3 || r.Phases[0].Phase != "calm" || r.Phases[2].Requests < 20 || r.Phases[1].Requests != 0 {
		t.Errorf("%+v", r.Phases)
	}
	names := map[string]bool{}
	for _, p := range r.Paths {
		names[p.Path] = true
	}
	if !names["/"] || !names["basket"] || !names["buy"] || !names["/login"] {
		t.Errorf("%+v", r.Paths)
	}
}

func TestAVisitEndsWhereAStepFails(t *testing.T) {
	a := newApp(t)
	r := run(t, planOf(t, fmt.Sprintf(`
url: [%s, %s]
phases: [{rate: 20, for: 200ms}]
requests:
  - steps:
    - {get: /, capture: {id: {json: id}}}
    - {get: "/item/{{id}}"}
`, a.URL, a.URL)))
	if r.Requests != 4 || r.Failed != 4 || r.Errors["the answer holds nothing to capture as id"] != 4 || a.asked.Load() != 4 {
		t.Errorf("%s %v", r.Text(), r.Errors)
	}
}

func TestAReplayIsSentAtItsTimes(t *testing.T) {
	a := newApp(t)
	hits := []Hit{{At: 0, Method: "GET", Path: "/x?q=1"}, {At: 50 * time.Millisecond, Method: "HEAD", Path: "/x?q=2"}, {At: 100 * time.Millisecond, Method: "GET", Path: "/y", Name: "why"}}
	r := run(t, Plan{URL: a.URL, Replay: hits, Duration: 200 * time.Millisecond})
	if r.Requests != 3 || r.Failed != 0 || len(r.Paths) != 2 || r.Paths[0].Path != "/x" || r.Paths[1].Path != "why" || r.Seconds < 0.1 {
		t.Errorf("%s", r.Text())
	}
}

func TestAScenarioThatCannotBeIsRefused(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		s, err := ParseScenario([]byte(text))
		p := Plan{URL: "http://a:1"}
		if err == nil {
			err = s.Apply(&p, files)
		}
		if err == nil {
			_, err = p.complete()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	phase := "phases: [{rate: 1, for: 1s}]\n"
	f("", "it is empty")
	f("phase: []", "field phase not found")
	f(phase+"requests: [{get: /, post: /}]", "request 1 of the scenario: a step needs one of get")
	f(phase+"requests: [{get: /, steps: [{get: /}]}]", "give one of both")
	f(phase+"requests: [{get: /, think: soon}]", `"soon" is not a pause`)
	f(phase+"requests: [{get: /, think: 3s-1s}]", "must not be longer")
	f(phase+"requests: [{get: /, capture: {a: {}}}]", "needs one of json")
	f(phase+"requests: [{get: /, capture: {a: {regexp: '('}}}]", "missing closing")
	f(phase+"requests: [{get: x}]", "does not start with /")
	f(phase+"data: {a: b.csv}", "there is no b.csv")
	f(phase+"ensure: [often]", "is not a condition")
	f("phases: [{shape: square, rate: 1, for: 1s}]", `no shape "square"`)
	f("phases: [{rate: 1}]", "the duration is 0s")
	f("phases: [{shape: pause, for: 1s}]", "the rate is 0")
	f(phase+"warm_up: 2s", "shorter than the run")
}

func FuzzParseScenario(f *testing.F) {
	f.Add([]byte(shopping))
	f.Add([]byte("requests: [{get: /, capture: {a: {json: x}}}]"))
	f.Fuzz(func(_ *testing.T, text []byte) {
		s, err := ParseScenario(text)
		if err != nil {
			return
		}
		p := Plan{URL: "http://a:1"}
		if s.Apply(&p, files) == nil {
			_, _ = p.complete()
		}
	})
}

func TestCaptures(t *testing.T) {
	body := `{"a": {"b": [10, "x", null, true]}}`
	f := func(path, want string, found bool) {
		t.Helper()
		if got, ok := jsonAt([]byte(body), path); got != want || ok != found {
			t.Errorf("%s: %q, %t", path, got, ok)
		}
	}
	f("a.b.0", "10", true)
	f("a.b.1", "x", true)
	f("a.b.2", "", false)
	f("a.b.3", "true", true)
	f("a.b", `[10,"x",null,true]`, true)
	f("a.b.9", "", false)
	f("a.c", "", false)
	f("a.b.1.z", "", false)
	if got, err := fill("{{x}}-{{ y }}-{{", func(n string) (string, bool) { return n + n, n != "" }); err == nil {
		t.Errorf("%q", got)
	}
	if got, err := fill("{{x}}-{{ y }}", func(n string) (string, bool) { return n + n, true }); err != nil || got != "xx-yy" {
		t.Errorf("%q, %v", got, err)
	}
}
