package router

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// statusClientGone is what the record of a request says whose client went away
// before the answer began.
const statusClientGone = 499

// maxTries is how often a request is sent to a replica that takes it and then fails.
const maxTries = 3

// visit is one request on its way through the router.
type visit struct {
	router  *Router
	app     *app
	w       http.ResponseWriter
	r       *http.Request
	control *http.ResponseController

	start         time.Time
	wait          time.Duration // for a target
	id            string        // request id
	uri           string        // path and query as received
	prefix        string        // that the app is mounted below, which it does not see of uri
	bounds        *bounds
	want          choice
	draws         *http.Cookie // to be set; nil: none
	client, proto string
	inside        bool   // it comes from a container of the app's own tenant
	caller        string // the app of that container; empty: a command, or not known yet
	upgrade       string
	body          *upload // nil: none
	streams       bool    // the body is sent while the answer is read

	target *target // the last one that was tried
	served int     // release that a static file was sent of; 0: none was
	status int     // 0: nothing has been answered yet
	says   appSays
	bytes  int64  // of the answer's body, passed on so far
	note   string // what the record adds to its message

	relayed bool // bytes are counted
}

// ServeHTTP routes one request.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	if rt.certs.answers(w, r) {
		return
	}
	host, uri := hostname(r.Host), r.RequestURI
	if !strings.HasPrefix(uri, "/") && uri != "*" {
		uri = r.URL.RequestURI() // a client that takes us for a forward proxy
	}
	now := rt.table.Load()
	a, prefix := now.find(host, uri)
	tenant, caller, inside := now.inside.who(r)
	if inside {
		a, prefix = now.inside.app(tenant, host), ""
	}
	if a == nil {
		rt.serveUnknown(w, r, host, inside)
		return
	}
	v := &visit{router: rt, app: a, w: w, r: r, start: start, uri: uri, prefix: prefix, inside: inside, caller: caller, bounds: a.bounds.Load()}
	v.id = requestID(r.Header, start)
	if _, file := a.static.Load().find(uri[len(prefix):], 0, false); !file {
		a.requests.Add(1) // of which the autoscaler learns: a file is no work for a replica
	}
	defer v.account()
	v.serve()
}

// serveUnknown answers for hosts that no app has: the router's own name tells
// whether it is well.
func (rt *Router) serveUnknown(w http.ResponseWriter, r *http.Request, host string, inside bool) {
	if r.URL.Path == "/healthz" && (host == rt.opts.Domain || isAddress(host)) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
		return
	}
	rt.unknown.Add(1)
	if inside {
		writePage(w, r, pageInside(host))
		return
	}
	if rt.table.Load().hosts[host] != nil {
		writePage(w, r, pageUnknownPath(host))
		return
	}
	writePage(w, r, pageUnknownHost(host))
}

// serve sends the request to a target, and to another one where that is safe.
func (v *visit) serve() {
	v.prepare()
	if err := v.admit(); err != nil {
		v.fail(err)
		return
	}
	if rest := v.uri[len(v.prefix):]; v.prefix != "" && (rest == "" || rest[0] == '?') {
		v.fail(errNoSlash)
		return
	}
	if v.r.ContentLength > v.bounds.body {
		v.fail(errTooLarge)
		return
	}
	if c := v.app.canary.Load(); c != nil {
		v.want.release = c.Release
		v.want.canary, v.draws = draw(v.r, v.app.name, c)
	}
	if f, ok := v.app.static.Load().find(v.uri[len(v.prefix):], v.want.release, v.want.canary && v.draws == nil); ok && v.app.awake() {
		if err := v.sendFile(f); err != nil {
			v.fail(err)
		}
		return
	}
	var tried []*target
	patience := v.start.Add(min(refusedLimit, v.router.cfg.HoldTimeout))
	for tries := 1; ; {
		asked := time.Now()
		t, err := v.app.acquire(v.r.Context(), tried, v.want)
		v.wait += time.Since(asked)
		if err != nil {
			v.fail(err)
			return
		}
		if err = v.attempt(t); err == nil {
			return
		}
		if refused, ok := errors.AsType[*dialError](err); ok {
			tried = append(tried, t)
			if v.another(&tried, refused, patience) {
				continue
			}
		} else if tries < maxTries && v.repeatable(err) && v.app.others([]*target{t}) {
			tries++
			tried = append(tried, t)
			v.router.retries.Add(1)
			continue
		}
		v.fail(err)
		return
	}
}

// admit returns why the request is not let in, or nil. What stands before an app
// is for those outside; its tenant's own apps meet its maintenance alone.
func (v *visit) admit() error {
	g := v.app.gate.Load()
	switch {
	case v.inside && g != nil && g.Maintenance:
		return errMaintenance
	case v.inside:
		return nil
	case v.proto == "http" && v.router.cfg.TLS.Redirect:
		return errPlain
	}
	return g.check(v.r, v.proto, v.start)
}

// prepare reads from the request what each attempt needs.
func (v *visit) prepare() {
	v.control = http.NewResponseController(v.w)
	v.client, v.proto = forwarded(v.r)
	v.upgrade = upgradeOf(v.r.Header)
	if v.r.ContentLength == 0 || v.r.Body == nil || v.r.Body == http.NoBody {
		return
	}
	v.body = &upload{from: http.MaxBytesReader(v.w, v.r.Body, v.bounds.body)}
	v.streams = v.r.ContentLength < 0 || v.r.ContentLength > inlineBody
	if v.streams {
		_ = v.control.EnableFullDuplex() // HTTP/1 only; HTTP/2 always is
	}
}

// another waits, after every target has refused, for a moment or the next table; it
// reports whether the request may be sent again. A refused connection has carried
// nothing, so any method may.
func (v *visit) another(tried *[]*target, refused *dialError, patience time.Time) bool {
	if v.r.Context().Err() != nil {
		return false
	}
	v.router.retries.Add(1)
	changed := v.app.down(refused.target)
	if v.app.others(*tried) {
		return true
	}
	pause := min(time.Until(patience), refusedPause)
	if pause <= 0 {
		return false
	}
	asked := time.Now()
	defer func() { v.wait += time.Since(asked) }()
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-v.r.Context().Done():
		return false
	case <-changed:
	case <-timer.C:
	}
	*tried = nil
	return true
}

// repeatable reports whether a request that failed with err before an answer
// began may be sent to another replica.
func (v *visit) repeatable(err error) bool {
	if errors.Is(err, errTimeout) || errors.Is(err, errClient) || errors.Is(err, errTooLarge) || errors.Is(err, errHeadTooLarge) {
		return false
	}
	return v.body == nil && v.upgrade == "" &&
		slices.Contains([]string{"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}, v.r.Method)
}

// attempt sends the request to t and relays the answer. An error means that
// nothing was answered yet.
func (v *visit) attempt(t *target) error {
	v.target = t
	defer v.app.release(t)
	asked := time.Now()
	x, resp, err := v.ask(t)
	v.app.began(t, asked, v.streams, resp, err)
	if err != nil {
		return err
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		v.tunnel(x, resp)
		return nil
	}
	x.finish(v.relay(x, resp))
	return nil
}

// ask sends the request to t and reads the headers of its answer.
func (v *visit) ask(t *target) (*exchange, *http.Response, error) {
	if v.streams {
		v.app.uploads(t)
	}
	c, err := t.connect(v.r.Context())
	if err != nil {
		if v.r.Context().Err() != nil {
			return nil, nil, errClient
		}
		return nil, nil, &dialError{target: t, err: err}
	}
	x := newExchange(v, c)
	sendErr := x.send()
	if errors.Is(sendErr, errTooLarge) || errors.Is(sendErr, errClient) {
		x.finish(false)
		return nil, nil, sendErr
	}
	// An app may answer and close before it has read the body: its answer counts.
	resp, err := x.receive()
	if err != nil {
		x.finish(false)
	}
	return x, resp, err
}

// dialError is a connection that a target did not take.
type dialError struct {
	target *target
	err    error
}

// Error says which replica it was.
func (e *dialError) Error() string { return "replica " + e.target.Replica + ": " + e.err.Error() }

// Unwrap returns the error of the connection.
func (e *dialError) Unwrap() error { return e.err }

// fail answers a request that no replica answered.
func (v *visit) fail(err error) {
	if errors.Is(err, errClient) || errors.Is(err, context.Canceled) {
		v.status = statusClientGone
		v.note = "the client went away"
		panic(http.ErrAbortHandler)
	}
	p := v.page(err)
	v.status, v.note = p.status, p.title
	v.w.Header().Set("X-Request-Id", v.id)
	writePage(v.w, v.r, p)
}
