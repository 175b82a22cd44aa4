package reqsim

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"
)

// maxKinds bounds the kinds of error that are told apart.
const maxKinds = 20

// otherKind counts errors beyond maxKinds.
const otherKind = "other errors"

// tally counts the results of a run. One goroutine owns it.
type tally struct {
	plan     Plan
	pacer    *pacer
	began    time.Time
	ended    time.Time
	sending  time.Duration // how long requests were sent
	answered int
	good     int
	stopped  int
	warmUp   int // left out of everything else
	bytes    int64
	status   map[int]int
	kinds    map[string]int
	all      durations
	late     durations // from when a request was due until it was sent
	apdexes  apdexes
	steps    map[string]*group
	phases   map[string]*group
	points   []*second
	rate     recent
}

// group is the requests of one step or of one phase.
type group struct {
	requests, failed int
	durations        durations
}

func (g *group) add(r result) {
	g.requests++
	if r.kind != "" {
		g.failed++
	}
	g.durations.add(r.took)
}

// second is what was due in one second of a run.
type second struct {
	group
	look Look
}

func newTally(p Plan, pace *pacer) *tally {
	return &tally{plan: p, pacer: pace, began: time.Now(), status: map[int]int{}, kinds: map[string]int{},
		all: newDurations(), late: newDurations(), apdexes: newApdexes(p.Ensure), steps: map[string]*group{}, phases: map[string]*group{}}
}

// gather takes results until there are no more.
func (t *tally) gather(ctx context.Context, results <-chan result, progress func(Snapshot)) {
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	looked := make(chan dated, 1)
	watching, enough := context.WithCancel(ctx)
	var watch sync.WaitGroup
	if t.plan.Watch != nil {
		watch.Go(func() { t.looks(watching, looked) })
	}
	defer func() { enough(); watch.Wait() }()
	for {
		select {
		case r, ok := <-results:
			if !ok {
				t.ended = time.Now()
				if progress != nil {
					progress(t.snapshot(t.ended))
				}
				return
			}
			t.add(r)
		case l := <-looked:
			t.second(l.at.Sub(t.began)).look = l.Look
		case now := <-ticker.C:
			t.rate.mark(now, t.answered+t.warmUp)
			if progress != nil {
				progress(t.snapshot(now))
			}
		}
	}
}

func (t *tally) add(r result) {
	if r.kind == errStopped.Error() {
		t.stopped++
		return
	}
	t.second(r.due).add(r)
	if r.due < t.plan.WarmUp {
		t.warmUp++
		return
	}
	t.answered++
	t.bytes += r.bytes
	groupOf(t.steps, r.step).add(r)
	groupOf(t.phases, r.phase).add(r)
	t.all.add(r.took)
	t.late.add(r.late)
	if r.code > 0 {
		t.status[r.code]++
	}
	if r.kind == "" {
		t.good++
		t.apdexes.add(r.took)
		return
	}
	kind := r.kind
	if _, known := t.kinds[kind]; !known && len(t.kinds) >= maxKinds {
		kind = otherKind
	}
	t.kinds[kind]++
}

// maxGroups bounds the steps and phases that are told apart.
const maxGroups = 200

func groupOf(in map[string]*group, name string) *group {
	if in[name] == nil && len(in) >= maxGroups {
		name = "others"
	}
	if in[name] == nil {
		in[name] = &group{durations: newDurations()}
	}
	return in[name]
}

// second returns the second of the run that holds a moment.
func (t *tally) second(at time.Duration) *second {
	i := max(int(at/time.Second), 0)
	for len(t.points) <= i {
		t.points = append(t.points, &second{group: group{durations: newDurations()}})
	}
	return t.points[i]
}

func (t *tally) snapshot(now time.Time) Snapshot {
	elapsed := now.Sub(t.began)
	s := Snapshot{Elapsed: elapsed, Duration: t.plan.Duration, Planned: int(t.pacer.course.total), Answered: t.answered,
		Failed: t.answered - t.good, Rate: t.rate.perSecond(), Wanted: t.pacer.Rate(min(elapsed, t.plan.Duration)),
		P50: t.all.quantile(0.50), P95: t.all.quantile(0.95), P99: t.all.quantile(0.99)}
	for _, p := range t.pacer.course.parts {
		if elapsed.Seconds() >= p.from {
			s.Phase = p.name
		}
	}
	s.Points = t.series(max(len(t.points)-snapshotSeconds, 0))
	return s
}

// snapshotSeconds is how many seconds a snapshot looks back.
const snapshotSeconds = 120

// recent remembers the last counts, for the rate over about a second.
type recent struct {
	at    [5]time.Time
	count [5]int
	n     int
}

func (r *recent) mark(at time.Time, count int) {
	r.at[r.n%len(r.at)], r.count[r.n%len(r.at)] = at, count
	r.n++
}

func (r *recent) perSecond() float64 {
	if r.n < 2 {
		return 0
	}
	last, first := (r.n-1)%len(r.at), max(r.n-len(r.at), 0)%len(r.at)
	return float64(r.count[last]-r.count[first]) / r.at[last].Sub(r.at[first]).Seconds()
}

// durations answers quantiles within half a percent, and mean and maximum exactly.
type durations struct {
	sketch   *ddsketch.DDSketch
	n        int
	sum, max time.Duration
}

// bins is shared by all sketches.
var bins = newBins()

func newBins() *mapping.LogarithmicMapping {
	m, err := mapping.NewLogarithmicMapping(0.005)
	if err != nil {
		panic(err) // the accuracy is a constant within the bounds of the mapping
	}
	return m
}

func newDurations() durations {
	return durations{sketch: ddsketch.NewDDSketch(bins, store.NewBufferedPaginatedStore(), store.NewBufferedPaginatedStore())}
}

func (d *durations) add(took time.Duration) {
	_ = d.sketch.Add(max(milliseconds(took), 0.001)) // the mapping holds every duration from a microsecond on
	d.n++
	d.sum += took
	d.max = max(d.max, took)
}

// quantile returns the q-quantile in ms by nearest rank, so that the p99 of a
// few values is the highest of them; 0 where there is nothing.
func (d *durations) quantile(q float64) float64 {
	if d.n == 0 {
		return 0
	}
	n := float64(d.n)
	// The library takes the value whose rank from 0 is above q·(n-1).
	rank := max(math.Ceil(q*n)-1, 0) + 0.5
	v, err := d.sketch.GetValueAtQuantile(min(rank/max(n-1, 1), 1))
	if err != nil {
		return 0
	}
	return min(v, milliseconds(d.max))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
