package sim

import (
	"context"
	"math"
	"sync"

	"kurama/paas"
)

// Case is a load on a plant.
type Case struct {
	Load  Load
	Plant Plant
}

// Plan says what Compare runs: each scaler on each case, once per seed. The
// oracle runs along, since costs are told in its.
type Plan struct {
	Cases     []Case
	Scalers   []string
	Seeds     int
	First     int     // the first seed; 0: 1
	Objective float64 // s
	Policy    *paas.Policy
	Lag       int
	Lost      float64
	Restart   int
	Parallel  int // runs at a time; 0: 1
}

// Result is what one scaler came to on one case.
type Result struct {
	Load   string             `json:"load"`
	Plant  string             `json:"plant"`
	Scaler string             `json:"scaler"`
	Tuned  bool               `json:"tuned"` // swift was tuned on this load
	Figure map[string]Figures `json:"figures"`

	runs []Outcome // by seed
}

// Figures are the mean of a figure over the seeds, and half the width of its
// 95 % confidence interval (Student's t).
type Figures struct {
	Mean float64 `json:"mean"`
	Half float64 `json:"half"`
}

// figureNames are the figures of an outcome, in the order of reports.
var figureNames = []string{"late", "p95", "p99", "errors", "cost", "under", "over", "actions", "reversals", "recovery"}

// of returns one figure; cost is in replica-seconds of the oracle on the same seed.
func (o Outcome) of(name string, oracle Outcome) float64 {
	switch name {
	case "late":
		return o.Late
	case "p95":
		return o.P95
	case "p99":
		return o.P99
	case "errors":
		return o.Errors
	case "cost":
		return o.ReplicaSeconds / oracle.ReplicaSeconds
	case "under":
		return o.Under
	case "over":
		return o.Over
	case "actions":
		return o.Actions
	case "reversals":
		return o.Reversals
	}
	return o.Recovery
}

// Compare runs the plan, or as much of it as there is time for until ctx ends;
// then its error is that of ctx. progress, if not nil, is told of each run.
func Compare(ctx context.Context, p Plan, progress func(done, all int)) ([]Result, error) {
	var results []Result
	done, all := 0, len(p.Cases)*p.Seeds*(len(p.Scalers)+1)
	for _, c := range p.Cases {
		runs, err := p.run(ctx, c, func() {
			if done++; progress != nil {
				progress(done, all)
			}
		})
		if err != nil {
			return results, err
		}
		for _, name := range p.Scalers {
			results = append(results, summed(c, name, runs[name], runs[Oracle]))
		}
	}
	return results, nil
}

// run runs every scaler on one case.
func (p Plan) run(ctx context.Context, c Case, ran func()) (map[string][]Outcome, error) {
	names := append([]string{Oracle}, p.Scalers...)
	runs := map[string][]Outcome{}
	for _, name := range names {
		runs[name] = make([]Outcome, p.Seeds)
	}
	var (
		mu    sync.Mutex
		first error
		all   sync.WaitGroup
		slots = make(chan struct{}, max(p.Parallel, 1))
	)
	for _, name := range names {
		for seed := range p.Seeds {
			slots <- struct{}{}
			all.Go(func() {
				defer func() { <-slots }()
				o, err := p.one(ctx, c, name, seed)
				mu.Lock()
				defer mu.Unlock()
				if err != nil && first == nil {
					first = err
				}
				runs[name][seed] = o
				ran()
			})
		}
	}
	all.Wait()
	return runs, first
}

func (p Plan) one(ctx context.Context, c Case, name string, seed int) (Outcome, error) {
	return Run(ctx, Experiment{Load: c.Load, Plant: c.Plant, Scaler: name, Objective: p.Objective, Policy: p.Policy,
		Seed: uint64(max(p.First, 1) + seed), Lag: p.Lag, Lost: p.Lost, Restart: p.Restart})
}

func summed(c Case, name string, runs, oracle []Outcome) Result {
	r := Result{Load: c.Load.Name, Plant: c.Plant.Name, Scaler: name, Tuned: c.Load.Tuned, Figure: map[string]Figures{}, runs: runs}
	for _, figure := range figureNames {
		values := make([]float64, len(runs))
		for i := range runs {
			values[i] = runs[i].of(figure, oracle[i])
		}
		r.Figure[figure] = figuresOf(values)
	}
	return r
}

// student are the 97.5 % points of Student's t by degrees of freedom, from 1.
var student = []float64{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086}

func figuresOf(values []float64) Figures {
	n := float64(len(values))
	mean, squares := 0.0, 0.0
	for _, v := range values {
		mean += v / n
	}
	if len(values) < 2 {
		return Figures{Mean: mean}
	}
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	t := student[min(len(values)-2, len(student)-1)]
	return Figures{mean, t * math.Sqrt(squares/(n-1)/n)}
}
