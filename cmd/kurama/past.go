package main

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"slices"
	"time"

	"kurama/dashboard"
	"kurama/logship/record"
	"kurama/services/persist"
	"kurama/services/profile"
)

// Of a look into the past: from this step on requests are read from rollups
// instead of records, and so many records are shown.
const (
	rollupStep  = time.Minute
	pastRecords = 300
	// sampleReach is how long a sample stands for its replica, as in the live view.
	sampleReach = 3 * time.Second
)

// pastQuery joins what persist and profile stored to the history that the
// dashboard shows.
type pastQuery struct {
	records  *persist.Query
	rollups  *profile.Query
	sampling time.Duration // between two samples of a replica
}

// Course returns what happened step by step.
func (q pastQuery) Course(ctx context.Context, s dashboard.Span) (dashboard.Course, error) {
	span := persist.Span{Tenant: s.Tenant, App: s.App, From: s.From, To: s.To, Step: s.Step}
	c := dashboard.Course{ByClass: s.Step < rollupStep, Points: []dashboard.PastPoint{}, Figures: []dashboard.PastFigure{},
		Host: []dashboard.PastFigure{}, Events: []dashboard.PastEvent{}}
	points, err := q.requests(ctx, s)
	if err != nil {
		return c, err
	}
	samples, err := q.records.Samples(ctx, span)
	if err != nil {
		return c, err
	}
	c.Figures = q.samples(points, s, samples)
	hosts, err := q.records.Samples(ctx, persist.Span{From: s.From, To: s.To, Step: s.Step})
	if err != nil {
		return c, err
	}
	c.Host = mostLoaded(hosts)
	events, err := q.records.Events(ctx, span)
	if err != nil {
		return c, err
	}
	for _, e := range events {
		shown := dashboard.PastEvent{T: e.At.UnixMilli(), Event: e.Name, Msg: e.Msg}
		if s.App == "" {
			shown.App = e.App
		}
		c.Events = append(c.Events, shown)
	}
	for _, p := range points {
		c.Points = append(c.Points, *p)
	}
	slices.SortFunc(c.Points, func(a, b dashboard.PastPoint) int { return int(a.T - b.T) })
	return c, nil
}

// pastPoints are points by their second.
type pastPoints map[int64]*dashboard.PastPoint

// at returns the point of a second, making it where it is new.
func (ps pastPoints) at(t time.Time) *dashboard.PastPoint {
	p := ps[t.Unix()]
	if p == nil {
		p = &dashboard.PastPoint{T: t.Unix()}
		ps[t.Unix()] = p
	}
	return p
}

func (q pastQuery) requests(ctx context.Context, s dashboard.Span) (pastPoints, error) {
	points, seconds := pastPoints{}, s.Step.Seconds()
	if s.Step >= rollupStep {
		steps, _, err := q.rollups.Course(ctx, s.Tenant, s.App, s.From, s.To, s.Step)
		for _, r := range steps {
			p := points.at(r.At)
			p.Req, p.S5 = float64(r.Requests)/seconds, float64(r.Errors)/seconds
			p.S2 = p.Req - p.S5
			p.P50, p.P95, p.P99 = r.P50, r.P95, r.P99
		}
		return points, err
	}
	steps, _, err := q.records.Requests(ctx, persist.Span{Tenant: s.Tenant, App: s.App, From: s.From, To: s.To, Step: s.Step})
	for _, r := range steps {
		p := points.at(r.At)
		p.Req, p.S2, p.S3 = float64(r.Count)/seconds, float64(r.S2)/seconds, float64(r.S3)/seconds
		p.S4, p.S5 = float64(r.S4)/seconds, float64(r.S5)/seconds
		p.P50, p.P95, p.P99 = orNil(r.P50), orNil(r.P95), orNil(r.P99)
	}
	return points, err
}

// samples puts queues and replicas into points and returns the figures of the
// replicas of one app.
func (q pastQuery) samples(points pastPoints, s dashboard.Span, samples []persist.Sample) []dashboard.PastFigure {
	figures := []dashboard.PastFigure{}
	var replicas []persist.Sample
	for _, x := range samples {
		p := points.at(x.At)
		if x.Replica == "router" {
			p.InFlight, p.Queued = plus(p.InFlight, x.InFlight), plus(p.Queued, x.Queued)
			continue
		}
		replicas = append(replicas, x)
		if s.App != "" {
			figures = append(figures, figureOf(x, x.Replica))
		}
	}
	if s.Step < sampleReach {
		countSeen(points, s, replicas)
	} else {
		q.countSamples(points, s, replicas)
	}
	return figures
}

// countSeen counts, for each short step, the replicas that told of themselves
// around it: their samples come once a second, but not at its begin.
func countSeen(points pastPoints, s dashboard.Span, samples []persist.Sample) {
	seen := map[[2]string]time.Time{}
	for t := s.From; t.Before(s.To); t = t.Add(s.Step) {
		for len(samples) > 0 && !samples[0].At.After(t) {
			seen[[2]string{samples[0].App, samples[0].Replica}] = samples[0].At
			samples = samples[1:]
		}
		n := 0.0
		for _, at := range seen {
			if t.Sub(at) < sampleReach {
				n++
			}
		}
		if n > 0 {
			points.at(t).Replicas = &n
		}
	}
}

// countSamples counts the replicas of a longer step by how many samples they
// left, so that one that was replaced by another counts once.
func (q pastQuery) countSamples(points pastPoints, s dashboard.Span, samples []persist.Sample) {
	told := map[int64]float64{}
	for _, x := range samples {
		told[x.At.Unix()] += float64(x.Count)
	}
	for t, n := range told {
		replicas := math.Max(1, math.Round(n*q.sampling.Seconds()/s.Step.Seconds()))
		points[t].Replicas = &replicas
	}
}

func figureOf(x persist.Sample, replica string) dashboard.PastFigure {
	return dashboard.PastFigure{Replica: replica, T: x.At.Unix(), CPU: orNil(x.CPU), Disk: orNil(x.Disk), Swap: orNil(x.Swap), Mem: orNil(x.Mem)}
}

// mostLoaded keeps, of the hosts that told of themselves in one step, the
// highest of each figure, as the live view does.
func mostLoaded(hosts []persist.Sample) []dashboard.PastFigure {
	figures := []dashboard.PastFigure{}
	for _, x := range hosts {
		f := figureOf(x, "")
		if last := len(figures) - 1; last >= 0 && figures[last].T == f.T {
			o := figures[last]
			f.CPU, f.Disk, f.Swap, f.Mem = higher(f.CPU, o.CPU), higher(f.Disk, o.Disk), higher(f.Swap, o.Swap), higher(f.Mem, o.Mem)
			figures[last] = f
			continue
		}
		figures = append(figures, f)
	}
	return figures
}

// Window returns the span as a whole. Its routes are those of whole minutes,
// since rollups are by minute.
func (q pastQuery) Window(ctx context.Context, s dashboard.Span) (dashboard.Window, error) {
	length := s.To.Sub(s.From)
	w := dashboard.Window{Seconds: length.Seconds(), Routes: []dashboard.PastRoute{}, Records: []json.RawMessage{}}
	if length > time.Hour {
		_, all, err := q.rollups.Course(ctx, s.Tenant, s.App, s.From.Truncate(rollupStep), s.To, rollupStep)
		if err != nil {
			return w, err
		}
		w.Requests, w.Errors, w.P50, w.P95, w.P99 = all.Requests, all.Errors, all.P50, all.P95, all.P99
	} else {
		_, all, err := q.records.Requests(ctx, persist.Span{Tenant: s.Tenant, App: s.App, From: s.From, To: s.To, Step: length})
		if err != nil {
			return w, err
		}
		w.Requests, w.Errors, w.P50, w.P95, w.P99 = all.Count, all.S5, orNil(all.P50), orNil(all.P95), orNil(all.P99)
	}
	w.Rate = float64(w.Requests) / w.Seconds
	if s.App == "" {
		return w, nil
	}
	return w, q.details(ctx, s, &w)
}

// details reads the routes and, where they may be shown, the newest records.
func (q pastQuery) details(ctx context.Context, s dashboard.Span, w *dashboard.Window) error {
	routes, err := q.rollups.Between(ctx, s.Tenant, s.App, s.From.Truncate(rollupStep), s.To.Add(-time.Nanosecond))
	if err != nil {
		return err
	}
	for _, r := range routes {
		w.Routes = append(w.Routes, dashboard.PastRoute{Method: r.Method, Route: r.Route, Requests: r.Requests, Errors: r.Errors,
			Rate: r.Rate, P50: r.P50, P95: r.P95, P99: r.P99, CPUMs: r.CPUMs, DBMs: r.DBMs, Bytes: r.Bytes})
	}
	if !s.Records {
		return nil
	}
	newest, _, err := q.records.Logs(ctx, persist.Filter{Tenant: s.Tenant, App: s.App, From: s.From, To: s.To, Limit: pastRecords,
		Kinds: []record.Kind{record.KindRequest, record.KindLog}})
	for i := len(newest) - 1; i >= 0; i-- {
		line := record.Append(nil, &newest[i])
		w.Records = append(w.Records, json.RawMessage(line[:len(line)-1]))
	}
	return err
}

func orNil(n record.Number) *float64 {
	if !n.Known {
		return nil
	}
	return &n.Value
}

// plus adds what is known.
func plus(a *float64, b record.Number) *float64 {
	if a == nil || !b.Known {
		return cmp.Or(a, orNil(b))
	}
	sum := *a + b.Value
	return &sum
}

func higher(a, b *float64) *float64 {
	if a == nil || (b != nil && *b > *a) {
		return b
	}
	return a
}
