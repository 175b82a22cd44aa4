package main

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"time"

	"kurama/autoscaler/sim"
	"kurama/internal/config"
	"kurama/logship/record"
	"kurama/paas"
	"kurama/sdk/reqsim"
)

const (
	curveSeeds = 20
	curveAim   = 0.10 // of the real number of replicas, mean over the run
)

// reportCurve holds the number of ready replicas, second by second, against that
// of the simulated run of the same step. What the simulation takes over from the
// real run is what a plant is made of: how long requests are worked on in the
// rush, and how long the starts took.
func (b *bench) reportCurve(ctx context.Context, p *platform, report reqsim.Report, seen []looked) error {
	real := perSecond(seen, report.Began, scaleCalm+scaleRush+scaleRest)
	starts := startsOf(seen)
	if len(starts) == 0 {
		return errors.New("no replica was started, so there is nothing to simulate")
	}
	work, sigma, err := p.work(ctx, report.Began.Add(scaleCalm+scaleRush))
	if err != nil {
		return err
	}
	b.say("starts of %.2f s; in the rush a request is worked on for %.1f ms, σ %.2f", starts, 1000*work, sigma)
	simulated, err := simulatedCurve(ctx, starts, work, sigma, len(real))
	if err != nil {
		return err
	}
	apart, wanted, had := 0.0, 0.0, 0.0
	for s := range real {
		apart += math.Abs(simulated[s] - real[s])
		wanted, had = wanted+simulated[s], had+real[s]
	}
	for s := 0; s < len(real); s += 5 {
		b.say("%4d s: %.0f ready, simulated %.1f", s, real[s], simulated[s])
	}
	b.report.add(figure{Section: "scale", Name: "simulated number of ready replicas: mean distance from the real one", Unit: "%", Value: 100 * apart / had, Peer: "bound", PeerValue: 100 * curveAim, Aim: valueAtMost(100 * curveAim)})
	b.report.add(figure{Section: "scale", Name: "simulated replica-seconds over the real ones", Unit: "×", Value: wanted / had, Peer: "equal", PeerValue: 1})
	return nil
}

// work returns how long the last thousand requests before a time were worked on,
// without their waiting, as the autoscaler reckons it: the mean in seconds, and the standard deviation of its
// logarithm.
func (p *platform) work(ctx context.Context, until time.Time) (mean, sigma float64, err error) {
	var list struct{ Records []record.Record }
	query := url.Values{"kind": {"request"}, "from": {until.Add(-scaleRush / 2).UTC().Format(time.RFC3339Nano)}, "to": {until.UTC().Format(time.RFC3339Nano)}, "limit": {"1000"}}
	if err := p.api.Call(ctx, http.MethodGet, "/apps/"+scaleApp+"/logs", query, nil, &list); err != nil {
		return 0, 0, err
	}
	n, logs, squares := 0.0, 0.0, 0.0
	for _, r := range list.Records {
		if ms := r.Dur.Value - r.Queue.Value; r.Dur.Known && ms > 0 {
			n, mean = n+1, mean+ms/1000
			logs, squares = logs+math.Log(ms), squares+math.Log(ms)*math.Log(ms)
		}
	}
	if n == 0 {
		return 0, 0, errors.New("no request of the rush is stored")
	}
	return mean / n, math.Sqrt(max(squares/n-logs/n*logs/n, 0)), nil
}

// perSecond returns the ready replicas at the end of each second from a time on.
func perSecond(seen []looked, from time.Time, length time.Duration) []float64 {
	list := make([]float64, int(length/time.Second))
	k, ready := 0, 1.0
	for s := range list {
		for ; k < len(seen) && seen[k].at.Before(from.Add(time.Duration(s+1)*time.Second)); k++ {
			ready = float64(seen[k].ready)
		}
		list[s] = ready
	}
	return list
}

// startsOf returns how many seconds each replica took from its order until it was
// ready, as far as can be seen from the numbers of both: the first ordered is the
// first ready, and the newest goes first.
func startsOf(seen []looked) (starts []float64) {
	var ordered []time.Time
	for i := 1; i < len(seen); i++ {
		was, is := seen[i-1], seen[i]
		for range is.desired - was.desired {
			ordered = append(ordered, is.at)
		}
		for range min(was.desired-is.desired, len(ordered)) {
			ordered = ordered[:len(ordered)-1]
		}
		for range min(is.ready-was.ready, len(ordered)) {
			starts = append(starts, is.at.Sub(ordered[0]).Seconds())
			ordered = ordered[1:]
		}
	}
	return starts
}

// simulatedCurve returns the mean over the seeds of the ready replicas of each
// second.
func simulatedCurve(ctx context.Context, starts []float64, work, sigma float64, length int) ([]float64, error) {
	plant, err := sim.PlantNamed("waits")
	if err != nil {
		return nil, err
	}
	plant.AtOnce, plant.Queue = reqsim.DefaultMaxInFlight, config.Default().Router.QueueLimit
	plant.Start, plant.Work, plant.Sigma = sim.Starts{Measured: starts, Times: 1}, work, sigma
	policy := paas.DefaultPolicy()
	policy.Name, policy.Min, policy.Max = paas.PolicySwift, 1, 6
	load := sim.Load{Name: "step", Seconds: length, Even: true, Rate: func(s int) float64 {
		if at := time.Duration(s) * time.Second; at >= scaleCalm && at < scaleCalm+scaleRush {
			return scaleHigh
		}
		return scaleLow
	}}
	mean := make([]float64, length)
	for seed := range curveSeeds {
		o, err := sim.Run(ctx, sim.Experiment{Load: load, Plant: plant, Scaler: paas.PolicySwift, Objective: policy.Swift.TimeUp / 1000, Seed: uint64(seed + 1),
			Policy: &policy, Exact: true, Curve: true})
		if err != nil {
			return nil, err
		}
		for s, c := range o.Replicas {
			mean[s] += float64(c.Ready) / curveSeeds
		}
	}
	return mean, nil
}
