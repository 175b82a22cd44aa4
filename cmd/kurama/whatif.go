package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"kurama/autoscaler/sim"
	"kurama/paas"
	"kurama/paas/api"
	"kurama/services/profile"
)

// maxSimulated bounds the requests of one what-if: of a busier past the
// stretch around its busiest minute is taken.
const maxSimulated = 1_500_000

// coursePoints is how many points the course of a what-if has at most.
const coursePoints = 288

// replayer runs the past of apps again in the simulator, one at a time.
type replayer struct {
	past    *profile.Query
	timeout time.Duration // of a request at the router
	busy    chan struct{}
}

func newReplayer(past *profile.Query, timeout time.Duration) *replayer {
	return &replayer{past: past, timeout: timeout, busy: make(chan struct{}, 1)}
}

// Replay simulates the app's own traffic under each policy.
func (r *replayer) Replay(ctx context.Context, q api.WhatIfQuestion) (api.WhatIf, error) {
	select {
	case r.busy <- struct{}{}:
		defer func() { <-r.busy }()
	default:
		return api.WhatIf{}, fmt.Errorf("another what-if is being simulated, try again in a few seconds: %w", paas.ErrConflict)
	}
	to := time.Now().UTC().Truncate(time.Minute)
	w := api.WhatIf{To: to, From: to.Add(-q.Length).Truncate(time.Minute), Objective: q.Objective}
	minutes, plant, err := r.read(ctx, q, &w)
	if err != nil {
		return w, err
	}
	from, length := busiest(minutes, maxSimulated)
	w.From = w.From.Add(time.Duration(from) * time.Minute)
	w.To = w.From.Add(time.Duration(length) * time.Minute)
	load := loadOf(minutes[from : from+length])
	for _, p := range q.Policies {
		result, err := simulated(ctx, p, q.App.Desired, plant, load, w)
		if err != nil {
			return w, err
		}
		w.Results = append(w.Results, result)
	}
	w.Says = whatIfSays(w)
	return w, nil
}

// read returns the requests of each minute of the time and the app as a plant.
func (r *replayer) read(ctx context.Context, q api.WhatIfQuestion, w *api.WhatIf) ([]int, sim.Plant, error) {
	steps, all, err := r.past.Course(ctx, q.App.Tenant, q.App.Name, w.From, w.To, time.Minute)
	if err != nil {
		return nil, sim.Plant{}, err
	}
	if all.Requests == 0 || all.P50 == nil {
		return nil, sim.Plant{}, &paas.Invalid{Reason: fmt.Sprintf("%s was asked for nothing since %s: there is no past to run again.", q.App.Name, w.From.Format("15:04 on 2 January, MST"))}
	}
	routes, err := r.past.Between(ctx, q.App.Tenant, q.App.Name, w.From, w.To)
	if err != nil {
		return nil, sim.Plant{}, err
	}
	w.Requests = all.Requests
	return minutesOf(steps, w.From, w.To), r.plantOf(q, all, routes, w), nil
}

// minutesOf returns the requests of each minute of a time.
func minutesOf(steps []profile.Step, from, to time.Time) []int {
	minutes := make([]int, int(to.Sub(from)/time.Minute))
	for _, s := range steps {
		if i := int(s.At.Sub(from) / time.Minute); i >= 0 && i < len(minutes) {
			minutes[i] += int(s.Requests)
		}
	}
	return minutes
}

// plantOf makes a plant of what is known of the app. The median time of a
// request stands for its time without waiting, since most wait for nothing.
func (r *replayer) plantOf(q api.WhatIfQuestion, all profile.Step, routes []profile.RouteStats, w *api.WhatIf) sim.Plant {
	cpu, known := 0.0, int64(0)
	for _, s := range routes {
		if s.CPUMs != nil {
			cpu += *s.CPUMs * float64(s.Requests)
			known += s.Requests
		}
	}
	if known > 0 {
		w.CPUMs = cpu / float64(known)
	}
	computes := w.CPUMs / max(q.Limits.CPU, 0.01)
	sigma := min(math.Log(max(*all.P95 / *all.P50, 1))/1.645, 1.5)
	w.WorkMs = max(*all.P50*math.Exp(sigma*sigma/2), computes, 0.1)
	w.Slots = q.Start.Concurrency()
	if c := q.Policies[0].Concurrency; c > 0 {
		w.Slots = int(math.Ceil(c))
	}
	return sim.Plant{Name: q.App.Name, Slots: w.Slots, Work: w.WorkMs / 1000, Sigma: sigma, CPU: min(computes/w.WorkMs, 1),
		Start: sim.Starts{Measured: sim.MeasuredStarts(), Times: 1}, Most: paas.MaxReplicas, InFlight: 64, Queue: 512, Timeout: r.timeout.Seconds()}
}

// busiest returns the stretch of at most so many requests around the busiest
// minute.
func busiest(minutes []int, most int) (from, length int) {
	top, sum := 0, 0
	for i, n := range minutes {
		sum += n
		if n > minutes[top] {
			top = i
		}
	}
	if sum <= most {
		return 0, len(minutes)
	}
	from, to, sum := top, top+1, minutes[top]
	for {
		before, after := math.MaxInt, math.MaxInt
		if from > 0 {
			before = minutes[from-1]
		}
		if to < len(minutes) {
			after = minutes[to]
		}
		next := min(before, after)
		if next == math.MaxInt || sum+next > most {
			return from, to - from
		}
		if sum += next; before <= after {
			from--
		} else {
			to++
		}
	}
}

// loadOf is a minute's requests as they came, evenly over the minute.
func loadOf(minutes []int) sim.Load {
	return sim.Load{Name: "past", Seconds: 60 * len(minutes), Rate: func(s int) float64 { return float64(minutes[min(s/60, len(minutes)-1)]) / 60 }}
}

// simulated runs one policy. Without one the number of replicas stays.
func simulated(ctx context.Context, p paas.Policy, desired int, plant sim.Plant, load sim.Load, w api.WhatIf) (api.WhatIfResult, error) {
	run := p
	if p.Name == paas.PolicyOff {
		run.Name, run.Min, run.Max, run.Schedule = paas.PolicyKurama, max(desired, 1), max(desired, 1), ""
	}
	o, err := sim.Run(ctx, sim.Experiment{Load: load, Plant: plant, Scaler: run.Name, Objective: w.Objective / 1000, Seed: 1, Policy: &run, Exact: true, From: w.From, Curve: true})
	if err != nil {
		return api.WhatIfResult{}, err
	}
	r := api.WhatIfResult{Policy: p, Late: o.Late, Errors: o.Errors, P95: 1000 * o.P95, P99: 1000 * o.P99, ReplicaHours: o.ReplicaSeconds / 3600}
	step := max((len(o.Replicas)+coursePoints-1)/coursePoints, 1)
	last := 0
	for i, c := range o.Replicas {
		if i%step == 0 {
			r.Course = append(r.Course, api.WhatIfPoint{At: w.From.Add(time.Duration(i) * time.Second)})
		}
		at := &r.Course[len(r.Course)-1]
		n := float64(min(step, len(o.Replicas)-i/step*step))
		at.Rate, at.Replicas = at.Rate+c.Rate/n, at.Replicas+float64(c.Ready)/n
		r.Most = max(r.Most, c.Ready)
		if i > 0 && c.Wanted != last {
			r.Changes++
		}
		last = c.Wanted
	}
	return r, nil
}

// whatIfSays tells the outcome in a sentence.
func whatIfSays(w api.WhatIf) string {
	now, then := w.Results[0], w.Results[len(w.Results)-1]
	return fmt.Sprintf("Under %s, %.2f %% of the requests would have taken more than %g ms at %.1f replica-hours; as it is now, %.2f %% at %.1f (both simulated).",
		then.Policy.Name, 100*then.Late, w.Objective, then.ReplicaHours, 100*now.Late, now.ReplicaHours)
}
