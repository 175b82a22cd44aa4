package dashboard

import (
	"cmp"
	"slices"
	"strings"

	"kurama/logship/record"
)

// The routes are counted over the last 5 minutes, in slices that leave one by
// one: 20 whole ones and the one that is filling.
const (
	sliceSeconds = 15
	sliceCount   = 21
	routeSeconds = sliceSeconds * (sliceCount - 1)
)

// maxRoutes bounds the routes of an app; what comes beyond is counted as one.
const maxRoutes = 100

// otherRoute is the name under which routes beyond the bound are counted.
const otherRoute = "(other)"

// routeKey names a route. App is empty in the view of one app.
type routeKey struct{ app, method, route string }

// routeOf names the route of a request: the app's own rule where the SDK told
// it, else the path. Paths that nobody answers are one route, since a scanner
// asks for thousands of them.
func routeOf(r *record.Record) string {
	if r.Route != "" {
		return r.Route
	}
	if r.Status == 404 {
		return "(not found)"
	}
	path, _, _ := strings.Cut(r.URL, "?")
	return cut(path, 100)
}

// slice holds what one route did in 15 seconds.
type slice struct {
	n                int64 // Unix time / 15
	requests, errors int
	cpu              float64 // ms
	cpuKnown         int     // requests that told their CPU time
	db               float64 // ms in database calls
	bytes            float64 // of answers
	bytesKnown       int     // requests whose bytes are known
	sketch           *sketch
}

// route is the ring of one route's slices. closed merges all but the newest
// slice, so that reading a quantile each second costs one merge and not 21.
type route struct {
	slices [sliceCount]slice
	newest int64
	closed *sketch // nil: to be merged again
}

func (rt *route) add(r *record.Record) {
	n := r.Time.Unix() / sliceSeconds
	if n <= rt.newest-sliceCount {
		return
	}
	if n != rt.newest {
		rt.closed = nil
		rt.newest = max(n, rt.newest)
	}
	s := &rt.slices[n%sliceCount]
	if s.n != n {
		*s = slice{n: n, sketch: newSketch()}
	}
	s.requests++
	if class(r.Status) == 3 {
		s.errors++
	}
	if r.CPUMs.Known {
		s.cpu += r.CPUMs.Value
		s.cpuKnown++
	}
	if r.DBMs.Known {
		s.db += r.DBMs.Value
	}
	if r.Bytes.Known {
		s.bytes += r.Bytes.Value
		s.bytesKnown++
	}
	if r.Dur.Known {
		s.sketch.add(r.Dur.Value)
	}
}

// routeRow is one line of the table of routes.
type routeRow struct {
	routeKey
	requests, errors int
	rate             float64 // per second
	p50, p95, p99    float64 // ms
	cpu, db          float64 // ms per request
	bytes            float64 // per answer
}

// row sums up the slices that reach into the last five minutes before now.
func (rt *route) row(key routeKey, now float64) routeRow {
	row := routeRow{routeKey: key, cpu: unknown, db: unknown, bytes: unknown}
	current := int64(now) / sliceSeconds
	if rt.newest != current || rt.closed == nil {
		rt.merge(current)
	}
	sum, costs := newSketch(), slice{}
	sum.merge(rt.closed)
	for i := range rt.slices {
		s := &rt.slices[i]
		if s.n <= current-sliceCount || s.sketch == nil {
			continue
		}
		if s.n >= rt.newest {
			sum.merge(s.sketch)
		}
		row.requests += s.requests
		row.errors += s.errors
		costs.cpu, costs.cpuKnown = costs.cpu+s.cpu, costs.cpuKnown+s.cpuKnown
		costs.bytes, costs.bytesKnown = costs.bytes+s.bytes, costs.bytesKnown+s.bytesKnown
		costs.db += s.db
	}
	if costs.cpuKnown > 0 {
		row.cpu = costs.cpu / float64(costs.cpuKnown)
	}
	if costs.bytesKnown > 0 {
		row.bytes = costs.bytes / float64(costs.bytesKnown)
	}
	if costs.db > 0 { // an app that makes no such calls has no such time, rather than 0
		row.db = costs.db / float64(row.requests)
	}
	row.rate = float64(row.requests) / (now - float64((current-sliceCount+1)*sliceSeconds))
	row.p50, row.p95, row.p99 = sum.quantile(0.50), sum.quantile(0.95), sum.quantile(0.99)
	return row
}

// merge makes closed anew and moves newest to current, so that what the
// current slice still takes in stays out of it.
func (rt *route) merge(current int64) {
	rt.newest = max(rt.newest, current)
	rt.closed = newSketch()
	for i := range rt.slices {
		if s := &rt.slices[i]; s.sketch != nil && s.n > current-sliceCount && s.n < rt.newest {
			rt.closed.merge(s.sketch)
		}
	}
}

// routes is the table of an app's routes, bounded.
type routes map[routeKey]*route

func (rs routes) add(app string, r *record.Record) {
	key := routeKey{app: app, method: r.Method, route: routeOf(r)}
	rt := rs[key]
	if rt == nil {
		if len(rs) >= maxRoutes {
			rs.forget(r.Time.Unix())
		}
		if len(rs) >= maxRoutes {
			key = routeKey{route: otherRoute}
			rt = rs[key]
		}
	}
	if rt == nil {
		rt = &route{}
		// The texts lie in the batch: a clone keeps the batch from staying.
		rs[routeKey{strings.Clone(key.app), strings.Clone(key.method), strings.Clone(key.route)}] = rt
	}
	rt.add(r)
}

// forget takes out the routes that nobody asked for in the last five minutes.
func (rs routes) forget(now int64) {
	for key, rt := range rs {
		if rt.last() <= now/sliceSeconds-sliceCount {
			delete(rs, key)
		}
	}
}

func (rt *route) last() (n int64) {
	for i := range rt.slices {
		if rt.slices[i].requests > 0 {
			n = max(n, rt.slices[i].n)
		}
	}
	return n
}

// rows returns the table, most asked first.
func (rs routes) rows(now float64) []routeRow {
	rs.forget(int64(now))
	list := make([]routeRow, 0, len(rs))
	for key, rt := range rs {
		if row := rt.row(key, now); row.requests > 0 {
			list = append(list, row)
		}
	}
	slices.SortFunc(list, func(a, b routeRow) int {
		return cmp.Or(b.requests-a.requests, strings.Compare(a.app, b.app), strings.Compare(a.route, b.route), strings.Compare(a.method, b.method))
	})
	return list
}

func (row *routeRow) append(dst []byte) []byte {
	dst = append(dst, '{')
	if row.app != "" {
		dst = append(appendString(append(dst, `"app":`...), row.app), ',')
	}
	dst = appendString(append(dst, `"method":`...), row.method)
	dst = appendString(append(dst, `,"route":`...), row.route)
	dst = appendCount(dst, `,"requests":`, row.requests)
	dst = appendCount(dst, `,"errors":`, row.errors)
	dst = appendFigure(append(dst, `,"rate":`...), row.rate)
	dst = appendFigure(append(dst, `,"p50":`...), row.p50)
	dst = appendFigure(append(dst, `,"p95":`...), row.p95)
	dst = appendFigure(append(dst, `,"p99":`...), row.p99)
	dst = appendFigure(append(dst, `,"cpu_ms":`...), row.cpu)
	dst = appendFigure(append(dst, `,"db_ms":`...), row.db)
	dst = appendFigure(append(dst, `,"bytes":`...), row.bytes)
	return append(dst, '}')
}
