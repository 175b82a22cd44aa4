package reqsim

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Visit is one kind of visitor: what they ask for, step by step. A step that
// fails ends the visit.
type Visit struct {
	Name   string // empty: that of its first step
	Weight int    // share of the visitors, at least 1
	Steps  []Step
}

// Step is one request of a visit. Path, Body and the values of Headers and
// Cookies may hold {{name}}: what an earlier step captured, a column of a data
// file as {{file.column}}, or the number of the visit, {{n}}.
type Step struct {
	Name    string // by which the report tells it; empty: the path as written
	Method  string // empty: GET
	Path    string // with query, starting with /
	Body    string
	Headers map[string]string
	Cookies map[string]string
	Capture map[string]Capture // by name
	Think   [2]time.Duration   // pause after it: least and most
}

// Hit is one request of a replay.
type Hit struct {
	At     time.Duration // since its beginning
	Method string
	Path   string
	Name   string // by which the report tells it; empty: the path without its query
}

// Data are the rows of a data file; visit n has row n, from the first again
// after the last.
type Data struct {
	Columns []string
	Rows    [][]string
}

// visits deals out the kinds of visit by their weights, evenly mixed and in the
// same order in each run.
type visits struct {
	mu     sync.Mutex
	list   []Visit
	credit []int
	total  int
}

func newVisits(p Plan) *visits {
	vs := &visits{list: p.Visits, credit: make([]int, len(p.Visits))}
	for _, v := range p.Visits {
		vs.total += v.Weight
	}
	return vs
}

// next picks the kind that is furthest behind its share.
func (vs *visits) next() *Visit {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	best := 0
	for i := range vs.list {
		vs.credit[i] += vs.list[i].Weight
		if vs.credit[i] > vs.credit[best] {
			best = i
		}
	}
	vs.credit[best] -= vs.total
	return &vs.list[best]
}

// completeVisits makes visits of the paths of a plan that has none.
func (p *Plan) completeVisits() {
	if len(p.Visits) == 0 && len(p.Paths) == 0 {
		p.Paths = []Path{{Weight: 1}}
	}
	p.Visits = slices.Clone(p.Visits)
	for i := range p.Visits {
		p.Visits[i].Weight = cmp.Or(p.Visits[i].Weight, 1)
	}
	for _, path := range p.Paths {
		p.Visits = append(p.Visits, Visit{Weight: path.Weight, Steps: []Step{{Method: p.Method, Path: path.Path, Body: string(p.Body)}}})
	}
	for i := range p.Visits {
		v := &p.Visits[i]
		v.Steps = slices.Clone(v.Steps)
		for k := range v.Steps {
			s := &v.Steps[k]
			s.Method = strings.ToUpper(cmp.Or(s.Method, http.MethodGet))
			s.Name = cmp.Or(s.Name, s.Path)
		}
		if len(v.Steps) > 0 {
			v.Name = cmp.Or(v.Name, v.Steps[0].Name)
		}
	}
}

func (p *Plan) checkVisits() error {
	for _, v := range p.Visits {
		if v.Weight < 1 {
			return fmt.Errorf("the path %q has the weight %d: give at least 1", v.Name, v.Weight)
		}
		if len(v.Steps) == 0 {
			return fmt.Errorf("the visit %q has no step", v.Name)
		}
		for _, s := range v.Steps {
			if s.Path != "" && !strings.HasPrefix(s.Path, "/") && !strings.HasPrefix(s.Path, "{{") {
				return fmt.Errorf("the path %q does not start with /", s.Path)
			}
			if s.Think[0] < 0 || s.Think[1] < s.Think[0] {
				return fmt.Errorf("the pause after %q is %s to %s: the first must not be longer", s.Name, s.Think[0], s.Think[1])
			}
		}
	}
	return nil
}

// joined puts a path of a step behind an address.
func joined(base *url.URL, path string) *url.URL {
	u := *base
	if path != "" {
		at, query, _ := strings.Cut(path, "?")
		u.RawQuery = query
		if unescaped, err := url.PathUnescape(at); err == nil {
			u.Path, u.RawPath = strings.TrimSuffix(base.Path, "/")+unescaped, strings.TrimSuffix(base.EscapedPath(), "/")+at
		} else {
			u.Path, u.RawPath = strings.TrimSuffix(base.Path, "/")+at, ""
		}
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return &u
}
