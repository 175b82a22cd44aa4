package profile

import (
	"math"
	"strings"
	"unicode/utf8"

	"kurama/logship/record"
	"kurama/paas"
)

// Routes that are no rule of an app.
const (
	OtherRoutes = "(other)"     // all routes beyond max_routes; the method is empty
	NotFound    = "(not found)" // 404 without a rule: what scanners ask for would fill the table
)

// The bounds of a route.
const (
	maxSegments = 8
	maxSegment  = 64
	maxRoute    = 256
)

// routes bounds how many routes an app has.
type routes struct {
	limit int
	apps  map[appName]*appRoutes
}

type appName struct{ tenant, app string }

type appRoutes struct {
	appName // as it is kept: not in the memory of a batch
	valid   bool
	used    map[methodRoute]methodRoute
}

type methodRoute struct{ method, route string }

func newRoutes(limit int) *routes { return &routes{limit: limit, apps: map[appName]*appRoutes{}} }

// use returns the method and route under which a request is counted.
func (s *routes) use(tenant, app, method, route string) (methodRoute, *appRoutes) {
	a := s.apps[appName{tenant, app}]
	if a == nil {
		name := appName{strings.Clone(tenant), strings.Clone(app)}
		a = &appRoutes{appName: name, used: map[methodRoute]methodRoute{},
			valid: paas.CheckName("a tenant", tenant) == nil && paas.CheckName("an app", app) == nil}
		s.apps[name] = a
	}
	if mr, ok := a.used[methodRoute{method, route}]; ok {
		return mr, a
	}
	if len(a.used) >= s.limit || route == OtherRoutes {
		return methodRoute{route: OtherRoutes}, a
	}
	mr := methodRoute{method: method, route: strings.Clone(route)}
	a.used[mr] = mr
	return mr, a
}

// key returns the row that counts r; false where its names are no names.
func (s *routes) key(r *record.Record) (key, bool) {
	mr, a := s.use(r.Tenant, r.App, methodOf(r.Method), routeOf(r))
	if !a.valid {
		return key{}, false
	}
	release := r.Release
	if release < 0 || release > math.MaxInt32 {
		release = 0
	}
	minute := r.Time.Unix()
	return key{minute: minute - minute%60, tenant: a.tenant, app: a.app, release: int32(release),
		method: mr.method, route: mr.route}, true
}

// methodOf returns one of the methods there are: a client can send any word.
func methodOf(method string) string {
	for _, m := range [...]string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE"} {
		if m == method {
			return m
		}
	}
	return "OTHER"
}

// routeOf returns the app's own rule, or where it is not known the path with
// what looks like a value taken out.
func routeOf(r *record.Record) string {
	if r.Route != "" {
		return bound(r.Route)
	}
	if r.Status == 404 {
		return NotFound
	}
	return bound(pathRoute(r.URL))
}

// bound makes route fit for the index and for Postgres.
func bound(route string) string {
	if len(route) > maxRoute {
		route = route[:maxRoute]
	}
	if strings.IndexByte(route, 0) >= 0 || !utf8.ValidString(route) {
		route = strings.ToValidUTF8(strings.ReplaceAll(route, "\x00", "\u2400"), "")
	}
	return route
}

// pathRoute turns /user/42/posts?page=2 into /user/<n>/posts.
func pathRoute(url string) string {
	path, _, _ := strings.Cut(url, "?")
	path, _, _ = strings.Cut(path, "#")
	if _, rest, ok := strings.Cut(path, "://"); ok { // the absolute form that proxies get
		_, path, _ = strings.Cut(rest, "/")
	}
	path = strings.TrimPrefix(path, "/")
	if path == "" {
		return "/"
	}
	var out strings.Builder
	for n := 0; ; n++ {
		segment, rest, more := strings.Cut(path, "/")
		out.WriteByte('/')
		if n == maxSegments {
			out.WriteString("…")
			break
		}
		out.WriteString(placeholder(segment))
		if !more {
			break
		}
		path = rest
	}
	return out.String()
}

// placeholder returns the segment, or a name for the kind of value that it is.
func placeholder(segment string) string {
	digits, hex, dashes := 0, 0, 0
	for i := range len(segment) {
		switch c := segment[i]; {
		case c >= '0' && c <= '9':
			digits++
			hex++
		case c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
			hex++
		case c == '-':
			dashes++
		}
	}
	n := len(segment)
	switch {
	case n > 0 && digits == n:
		return "<n>"
	case n == 36 && hex == 32 && dashes == 4:
		return "<uuid>"
	case n >= 16 && hex == n && digits > 0:
		return "<hex>"
	case n > maxSegment:
		return "<text>"
	}
	return segment
}
