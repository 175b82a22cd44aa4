package reqsim

import (
	"net/url"
	"strings"
	"sync"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// targets deals out the paths of a plan by their weights, evenly mixed and in
// the same order in each run.
type targets struct {
	mu    sync.Mutex
	list  []target
	total int
}

type target struct {
	path   Path
	url    string
	credit int
}

func newTargets(p Plan) (*targets, error) {
	base, err := url.Parse(p.URL)
	if err != nil {
		return nil, err
	}
	ts := &targets{}
	for _, path := range p.Paths {
		u := *base
		if path.Path != "" {
			at, query, _ := strings.Cut(path.Path, "?")
			u.Path, u.RawPath, u.RawQuery = strings.TrimSuffix(base.Path, "/")+at, "", query
		}
		if u.Path == "" {
			u.Path = "/"
		}
		ts.list = append(ts.list, target{path: path, url: u.String()})
		ts.total += path.Weight
	}
	return ts, nil
}

// next picks the path that is furthest behind its share.
func (ts *targets) next() string {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	best := 0
	for i := range ts.list {
		ts.list[i].credit += ts.list[i].path.Weight
		if ts.list[i].credit > ts.list[best].credit {
			best = i
		}
	}
	ts.list[best].credit -= ts.total
	return ts.list[best].url
}

// targeter gives each request its target.
func (ts *targets) targeter(p Plan) vegeta.Targeter {
	header := p.Headers.Clone()
	if header == nil {
		header = map[string][]string{}
	}
	if header.Get("User-Agent") == "" {
		header.Set("User-Agent", "kurama-reqsim")
	}
	if p.Host != "" {
		header.Set("Host", p.Host)
	}
	return func(t *vegeta.Target) error {
		t.Method, t.URL, t.Body, t.Header = p.Method, ts.next(), p.Body, header
		return nil
	}
}
