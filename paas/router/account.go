package router

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kurama/logship/record"
)

// maxURL bounds the url of a record, bytes.
const maxURL = 8 << 10

// account makes the one record of the request. It runs when the last byte has
// been passed on, also when the handler was broken off.
func (v *visit) account() {
	now := time.Now()
	dur := float64(now.Sub(v.start).Microseconds()) / 1000
	rec := &record.Record{
		Time: now.UTC(), ID: record.NewID(now), Kind: record.KindRequest, Level: levelOf(v.status),
		Tenant: v.app.tenant, App: v.app.name,
		Method: v.r.Method, URL: clip(v.uri), Route: v.says.route, Status: v.status,
		Dur: record.Num(dur), Queue: v.queued(), CPUMs: v.says.cpu, DBMs: v.says.db, Req: v.id, Exc: v.says.exc,
	}
	if v.target != nil {
		rec.Release, rec.Replica = v.target.Release, v.target.Replica
	} else if v.served > 0 {
		rec.Release, rec.Replica = v.served, routerReplica
	}
	if v.relayed {
		rec.Bytes = record.Num(float64(v.bytes))
	}
	rec.Msg = v.message(dur)
	v.app.classes[min(v.status/100, 5)].Add(1)
	if !v.router.opts.Records.Send(rec) {
		v.router.dropped.Add(1)
	}
}

// queued returns how long the request waited for a worker of the app or, where
// the app does not say when it took it, for a replica.
func (v *visit) queued() record.Number {
	wait := v.wait
	if in := v.says.taken.Sub(v.start); !v.says.taken.IsZero() && in >= 0 && in < time.Hour {
		wait = in
	}
	return record.Num(float64(wait.Microseconds()) / 1000)
}

// message returns "GET /path 200 12.3 ms", and what else is to be said.
func (v *visit) message(dur float64) string {
	path, _, _ := strings.Cut(clip(v.uri), "?")
	b := make([]byte, 0, len(path)+len(v.note)+40)
	b = append(b, v.r.Method...)
	b = append(b, ' ')
	b = append(b, path...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(v.status), 10)
	b = append(b, ' ')
	b = strconv.AppendFloat(b, dur, 'f', 1, 64)
	b = append(b, " ms"...)
	if v.note != "" {
		b = append(b, ": "...)
		b = append(b, v.note...)
	}
	return string(b)
}

func clip(url string) string {
	if len(url) > maxURL {
		return url[:maxURL]
	}
	return url
}

func levelOf(status int) record.Level {
	switch {
	case status >= http.StatusInternalServerError:
		return record.LevelError
	case status >= http.StatusBadRequest:
		return record.LevelWarning
	}
	return record.LevelInfo
}

// idleEvery is the time between two samples of an app that nothing is asked of:
// they tell its reader that this is so, and not that samples are missing.
const idleEvery = 10 * time.Second

// sample sends one sample record for each app that had traffic in the last
// second or has requests in flight, and now and then for the others that have
// replicas, and looks after idle connections.
func (rt *Router) sample(now time.Time) {
	for _, a := range rt.table.Load().apps {
		a.closeIdle(now.Add(-idleTimeout))
		inflight, queued, targets := a.load()
		concurrency := a.concurrency(now)
		requests := a.requests.Swap(0)
		if idle := requests == 0 && inflight == 0 && queued == 0 && concurrency == 0; !idle {
			a.told = time.Time{}
		} else if targets == 0 || now.Sub(a.told).Abs() < idleEvery {
			continue
		} else {
			a.told = now
		}
		rt.tell(a, now, inflight, queued, concurrency, requests, targets)
	}
	rt.forgetGone()
}

// tell sends one sample record of an app.
func (rt *Router) tell(a *app, now time.Time, inflight, queued int, concurrency float64, requests int64, targets int) {
	rec := &record.Record{
		Time: now.UTC(), ID: record.NewID(now), Kind: record.KindSample,
		Tenant: a.tenant, App: a.name, Replica: routerReplica,
		Extra: fmt.Appendf(nil, `{"inflight":%d,"queued":%d,"concurrency":%.3f,"requests":%d,"targets":%d}`,
			inflight, queued, concurrency, requests, targets),
	}
	if !rt.opts.Records.Send(rec) {
		rt.dropped.Add(1)
	}
}

// knock tells beside the samples of each second that a request waits for an app
// that sleeps, so that it is woken at once.
func (rt *Router) knock(a *app) {
	inflight, queued, targets := a.load()
	rt.tell(a, time.Now(), inflight, queued, float64(inflight+queued), 0, targets)
}
