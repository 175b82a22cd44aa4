package reqsim

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// maxCaptured bounds how much of an answer is looked through for a value, bytes.
const maxCaptured = 1 << 20

// result is how one request went.
type result struct {
	step  string
	phase string
	due   time.Duration // since the beginning of the run
	late  time.Duration // from then until it was sent
	took  time.Duration // from when it was due until its whole answer
	code  int           // 0: no answer
	kind  string        // what went wrong; empty: nothing
	bytes int64
}

// visitors makes each hit of the attacker a whole visit: a http.RoundTripper
// below it that sends the steps and tells of each. What the attacker itself
// measures is not used.
type visitors struct {
	plan    Plan
	visits  *visits
	bases   []*url.URL
	pace    *pacer
	next    http.RoundTripper
	stop    context.Context
	results chan<- result
	header  http.Header
}

func newVisitors(p Plan, pace *pacer, next http.RoundTripper, stop context.Context, results chan<- result) (*visitors, error) {
	v := &visitors{plan: p, visits: newVisits(p), pace: pace, next: next, stop: stop, results: results, header: p.Headers.Clone()}
	for _, address := range slices.Concat([]string{p.URL}, p.Also) {
		u, err := url.Parse(address)
		if err != nil {
			return nil, err
		}
		v.bases = append(v.bases, u)
	}
	if v.header == nil {
		v.header = http.Header{}
	}
	if v.header.Get("User-Agent") == "" {
		v.header.Set("User-Agent", "kurama-reqsim")
	}
	return v, nil
}

// targeter gives the attacker something to send: the visit itself is made in
// RoundTrip.
func (v *visitors) targeter(t *vegeta.Target) error {
	t.Method, t.URL = http.MethodGet, v.plan.URL
	return nil
}

// RoundTrip makes the visit whose number the attacker has put into a header.
func (v *visitors) RoundTrip(r *http.Request) (*http.Response, error) {
	n, err := strconv.ParseUint(r.Header.Get("X-Vegeta-Seq"), 10, 64)
	if err != nil {
		return nil, err
	}
	v.visit(n)
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: r}, nil
}

// visitor is one visit under way.
type visitor struct {
	*visitors
	n      uint64
	base   *url.URL
	phase  string
	values map[string]string
	jar    http.CookieJar // nil: one step needs none
}

func (v *visitors) visit(n uint64) {
	v.pace.sent.Add(1)
	due := v.pace.course.due(n)
	x := &visitor{visitors: v, n: n, base: v.bases[n%uint64(len(v.bases))], phase: v.pace.course.phaseOf(n).name}
	steps := v.steps(n)
	if len(steps) > 1 {
		x.jar, _ = cookiejar.New(nil) // without options it does not fail
	}
	for i := range steps {
		if i > 0 {
			due = time.Since(v.pace.began)
		}
		res := x.send(&steps[i], due)
		v.results <- res
		if res.kind != "" || i+1 == len(steps) || !x.think(steps[i].Think) {
			return
		}
	}
}

// steps returns the steps of visit n.
func (v *visitors) steps(n uint64) []Step {
	if len(v.plan.Replay) == 0 {
		return v.visits.next().Steps
	}
	h := v.plan.Replay[n]
	if h.Name == "" {
		h.Name, _, _ = strings.Cut(h.Path, "?")
	}
	return []Step{{Name: h.Name, Method: h.Method, Path: h.Path}}
}

// think pauses as a person would; false when the run was stopped.
func (x *visitor) think(between [2]time.Duration) bool {
	pause := between[0]
	if between[1] > between[0] {
		pause += rand.N(between[1] - between[0])
	}
	if pause == 0 {
		return x.stop.Err() == nil
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.pace.ctx.Done():
		return false
	}
}

// send sends one request and reads its whole answer.
func (x *visitor) send(s *Step, due time.Duration) result {
	res := result{step: s.Name, phase: x.phase, due: due}
	sent := time.Since(x.pace.began)
	res.late = max(sent-due, 0)
	req, err := x.request(s)
	if err == nil {
		err = x.exchange(req, s, &res)
	}
	if err != nil {
		res.kind = err.Error()
	} else if res.code >= 400 || res.code < 200 {
		res.kind = strings.TrimSpace(strconv.Itoa(res.code) + " " + http.StatusText(res.code))
	}
	res.took = time.Since(x.pace.began) - min(due, sent)
	return res
}

func (x *visitor) exchange(req *http.Request, s *Step, res *result) error {
	answer, err := x.next.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	res.code = answer.StatusCode
	if x.jar != nil {
		x.jar.SetCookies(req.URL, answer.Cookies())
	}
	if len(s.Capture) == 0 {
		res.bytes, err = io.Copy(io.Discard, answer.Body)
		return err
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxCaptured))
	if err != nil {
		return err
	}
	rest, err := io.Copy(io.Discard, answer.Body)
	res.bytes = int64(len(body)) + rest
	if err != nil || res.code >= 400 {
		return err
	}
	return x.capture(s, answer, body)
}

// capture keeps what the step asks for from an answer.
func (x *visitor) capture(s *Step, answer *http.Response, body []byte) error {
	if x.values == nil {
		x.values = map[string]string{}
	}
	for name, c := range s.Capture {
		v, found := c.from(answer, body)
		if !found {
			return errors.New("the answer holds nothing to capture as " + name)
		}
		x.values[name] = v
	}
	return nil
}

// request makes the request of a step.
func (x *visitor) request(s *Step) (*http.Request, error) {
	path, err := fill(s.Path, x.value)
	if err != nil {
		return nil, err
	}
	text, err := fill(s.Body, x.value)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	if text != "" {
		body = strings.NewReader(text)
	}
	req, err := http.NewRequestWithContext(x.stop, s.Method, "", body)
	if err != nil {
		return nil, err
	}
	req.URL = joined(x.base, path)
	req.Header = x.header.Clone()
	for name, value := range s.Headers {
		if value, err = fill(value, x.value); err != nil {
			return nil, err
		}
		req.Header.Set(name, value)
	}
	req.Host = x.plan.Host // empty: that of the address
	if h := req.Header.Get("Host"); h != "" {
		req.Host = h
	}
	return req, x.cookies(req, s)
}

func (x *visitor) cookies(req *http.Request, s *Step) error {
	if x.jar != nil {
		for _, c := range x.jar.Cookies(req.URL) {
			req.AddCookie(c)
		}
	}
	for name, value := range s.Cookies {
		value, err := fill(value, x.value)
		if err != nil {
			return err
		}
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return nil
}

// value returns what stands for a name in this visit.
func (x *visitor) value(name string) (string, bool) {
	if v, ok := x.values[name]; ok {
		return v, true
	}
	if name == "n" {
		return strconv.FormatUint(x.n, 10), true
	}
	file, column, _ := strings.Cut(name, ".")
	data, ok := x.plan.Data[file]
	i := slices.Index(data.Columns, column)
	if !ok || i < 0 || len(data.Rows) == 0 {
		return "", false
	}
	return data.Rows[x.n%uint64(len(data.Rows))][i], true
}
