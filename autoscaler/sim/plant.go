package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Plant describes what is scaled: one app behind the router. Times are in
// seconds.
type Plant struct {
	Name  string  `json:"name"`
	Slots int     `json:"slots"` // requests that a replica works on at once
	Work  float64 `json:"work"`  // mean time that a request takes, waiting for nothing
	Sigma float64 `json:"sigma"` // of the logarithm of that time (log-normal)
	Slow  float64 `json:"slow"`  // share of requests to a slow route …
	Times float64 `json:"times"` // … which take so many times as long
	CPU   float64 `json:"cpu"`   // share of that time in which it computes; a replica has one core
	DB    float64 `json:"db"`    // share of that time in which a database works on it
	Conns int     `json:"conns"` // requests that the database works on at once, for all replicas; 0: no bound
	Start Starts  `json:"start"` // how long a replica takes from its order until it is ready
	Most  int     `json:"most"`  // replicas that the host holds; those beyond never come up

	InFlight int     `json:"in_flight"` // requests that the router gives a replica at once
	Queue    int     `json:"queue"`     // requests that wait in the router; more are refused
	Timeout  float64 `json:"timeout"`   // after which a request has failed
	AtOnce   int     `json:"at_once"`   // requests that whoever sends them has in flight at most; more are sent as others end; 0: no bound
}

// Starts draws how long starts take: one of the measured times, stretched.
type Starts struct {
	Measured []float64 `json:"measured"` // s
	Times    float64   `json:"times"`
	Crowd    float64   `json:"crowd"` // so many times longer for each other start under way
}

// draw returns the length of one start beside so many others.
func (s Starts) draw(r *rand.Rand, others int) float64 {
	return s.Measured[r.IntN(len(s.Measured))] * s.Times * (1 + s.Crowd*float64(others))
}

// late returns a length that nineteen of twenty starts stay below.
func (s Starts) late() float64 {
	sorted := sortedCopy(s.Measured)
	return sorted[int(math.Ceil(0.95*float64(len(sorted))))-1] * s.Times
}

// MeasuredStarts are the times from a changed number of replicas until the
// router had the new one, measured on a host of two cores that other work kept
// busy (load average about 10). Half took less than 1.9 s.
func MeasuredStarts() []float64 {
	return []float64{0.71, 0.91, 1.21, 1.22, 1.22, 1.40, 1.56, 1.59, 1.74, 2.02, 2.08, 2.42, 2.47, 2.58, 2.67, 2.73, 2.74, 4.48, 5.07, 5.36}
}

// Plants returns the plants that Compare knows by name.
func Plants() []Plant {
	base := Plant{Name: "waits", Slots: 4, Work: 0.05, Sigma: 0.3, CPU: 0.05, Start: Starts{MeasuredStarts(), 1, 0},
		Most: 20, InFlight: 64, Queue: 512, Timeout: 30}
	with := func(name string, edit func(*Plant)) Plant {
		p := base
		p.Name = name
		edit(&p)
		return p
	}
	return []Plant{
		base,
		with("computes", func(p *Plant) { p.CPU, p.Work = 0.9, 0.02 }),
		with("slow-route", func(p *Plant) { p.Slow, p.Times, p.Sigma = 0.03, 10, 0.5 }),
		with("slow-start", func(p *Plant) { p.Start.Times = 10 }),
		with("database", func(p *Plant) { p.DB, p.Conns = 0.7, 4 }),
		with("crowded-start", func(p *Plant) { p.Start.Crowd = 0.5 }),
		with("small-host", func(p *Plant) { p.Most = 4 }),
	}
}

// PlantNamed returns the plant of a name.
func PlantNamed(name string) (Plant, error) {
	for _, p := range Plants() {
		if p.Name == name {
			return p, nil
		}
	}
	return Plant{}, fmt.Errorf("there is no plant called %q: use one of %s", name, namesOf(Plants(), func(p Plant) string { return p.Name }))
}

// request is what one request needs.
type request struct {
	arrived       float64
	cpu, db, wait float64 // s: in turn
}

// draw returns a request that arrives at a time.
func (p Plant) draw(r *rand.Rand, at float64) request {
	// The mean of a log-normal is exp(mu + sigma²/2): mu keeps it at Work.
	mean := p.Work / (1 + p.Slow*(p.Times-1))
	work := mean * math.Exp(p.Sigma*r.NormFloat64()-p.Sigma*p.Sigma/2)
	if p.Slow > 0 && r.Float64() < p.Slow {
		work *= p.Times
	}
	return request{arrived: at, cpu: work * p.CPU, db: work * p.DB, wait: work * max(0, 1-p.CPU-p.DB)}
}
