package autoscaler

import (
	"encoding/json"
	"strings"
	"time"

	"kurama/autoscaler/policy"
	"kurama/logship/record"
	"kurama/logship/stream"
)

const (
	sampleAge  = 3 * time.Second  // a replica's sample older than this is no part of the mean
	requestAge = 60 * time.Second // a request that is read later than this after its time is left out
	routerAge  = 3 * time.Second  // a sample of the router says how many replicas are ready for this long
	idleAge    = 13 * time.Second // … and, that nothing is asked for, for this long: the next idle one comes after 10 s
	router     = "router"         // the replica of samples that are about an app's queue
)

// figures are what has come about one app.
type figures struct {
	replicas map[string]sample
	router   routerSample // the last
	routed   []routerSample
	done     int     // requests that ended since the last look
	work     float64 // ms that they took, without their waiting
}

// sample is the last CPU figure of a replica.
type sample struct {
	at      time.Time // as read
	release int
	cpu     float64 // percent of the replica's limit
}

// routerSample is what the router tells of an app once a second.
type routerSample struct {
	at          time.Time // as read
	Inflight    float64   `json:"inflight"`
	Queued      float64   `json:"queued"`
	Concurrency float64   `json:"concurrency"`
	Requests    float64   `json:"requests"`
	Targets     float64   `json:"targets"`
}

func (s routerSample) idle() bool { return s.Inflight+s.Queued+s.Requests+s.Concurrency == 0 }

func newFigures() figures { return figures{replicas: map[string]sample{}} }

// observe takes the figures of a batch that concern known apps.
func (a *Autoscaler) observe(b stream.Batch) {
	now := a.opts.Now()
	a.metrics.position.Store(b.Seq)
	a.metrics.records.Add(float64(b.Records))
	err := record.EachOf(b.Lines(&a.scratch), func(r *record.Record) error {
		if app := a.apps[appKey{r.Tenant, r.App}]; app != nil {
			app.observe(now, r)
			a.knocked = a.knocked || app.knocked
		}
		return nil
	}, record.KindSample, record.KindRequest)
	if err != nil { // the rest of a batch that cannot be read is left out: no retry would mend it
		a.log.Warn("A batch could not be read to its end.", "seq", b.Seq, "host", b.Host, "error", err)
	}
}

// observe takes one record about the app; what is late counts as missing.
func (a *app) observe(now time.Time, r *record.Record) {
	late := now.Sub(r.Time)
	switch {
	case r.Kind == record.KindRequest && r.Replica == router: // a static file: no replica had work with it
	case r.Kind == record.KindRequest:
		if r.Dur.Known && late <= requestAge {
			a.Took(now, r.Dur.Value)
			a.figures.done++
			a.figures.work += max(0, r.Dur.Value-r.Queue.Value) // an unknown queue is 0: nobody waited that we know of
		}
	case late > sampleAge:
	case r.Replica == router:
		s := routerSample{at: now}
		if json.Unmarshal(r.Extra, &s) == nil {
			a.figures.router, a.figures.routed = s, append(a.figures.routed, s)
			a.knocked = a.knocked || a.Asleep() && s.Queued > 0
		}
	case r.CPU.Known:
		a.figures.replicas[strings.Clone(r.Replica)] = sample{at: now, release: r.Release, cpu: r.CPU.Value}
	}
}

// second sums up what has come since the last call.
func (f *figures) second(now time.Time, release int) policy.Second {
	s := policy.Second{At: now, CPU: f.meanLoad(now, release), Done: f.done, Work: f.work}
	routed := f.routed
	age := now.Sub(f.router.at).Abs()
	if len(routed) == 0 && f.router.idle() && age <= idleAge {
		routed = []routerSample{f.router}
	}
	if n := float64(len(routed)); n > 0 {
		for _, r := range routed {
			s.Concurrency.Value += r.Concurrency / n
			s.Arrived.Value += r.Requests / n
		}
		s.Concurrency.Known, s.Arrived.Known = true, true
	}
	if len(routed) > 0 || age <= routerAge {
		s.Ready = record.Num(f.router.Targets)
	}
	f.routed, f.done, f.work = f.routed[:0], 0, 0
	return s
}

// meanLoad returns the mean CPU percentage over the replicas of a release that
// have told theirs lately.
func (f *figures) meanLoad(now time.Time, release int) record.Number {
	sum, n := 0.0, 0
	for id, s := range f.replicas {
		switch {
		case now.Sub(s.at).Abs() > sampleAge:
			delete(f.replicas, id)
		case s.release == release:
			sum += s.cpu
			n++
		}
	}
	if n == 0 {
		return record.Number{}
	}
	return record.Num(sum / float64(n))
}
