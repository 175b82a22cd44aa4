package reqsim

import (
	"math"
	"strings"
	"time"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"
	vegeta "github.com/tsenart/vegeta/v12/lib"
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
	status   map[int]int
	kinds    map[string]int
	all      durations
	late     durations // from when a request was due until it was sent
	apdexes  apdexes
	paths    map[string]*pathTally
	rate     recent
}

type pathTally struct {
	requests, failed int
	durations        durations
}

func newTally(p Plan, pace *pacer) *tally {
	return &tally{plan: p, pacer: pace, began: time.Now(), status: map[int]int{}, kinds: map[string]int{},
		all: newDurations(), late: newDurations(), apdexes: newApdexes(p.Ensure), paths: map[string]*pathTally{}}
}

// gather takes results until there are no more.
func (t *tally) gather(results <-chan *vegeta.Result, progress func(Snapshot)) {
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
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
		case now := <-ticker.C:
			t.rate.mark(now, t.answered)
			if progress != nil {
				progress(t.snapshot(now))
			}
		}
	}
}

func (t *tally) add(r *vegeta.Result) {
	kind := kindOf(r)
	if kind == errStopped.Error() {
		t.stopped++
		return
	}
	t.answered++
	path := t.paths[r.URL]
	if path == nil {
		path = &pathTally{durations: newDurations()}
		t.paths[r.URL] = path
	}
	path.requests++
	path.durations.add(r.Latency)
	t.all.add(r.Latency)
	t.late.add(max(r.Timestamp.Sub(t.began)-t.pacer.curve.due(r.Seq), 0))
	if r.Code > 0 {
		t.status[int(r.Code)]++
	}
	if kind == "" {
		t.good++
		t.apdexes.add(r.Latency)
		return
	}
	path.failed++
	if _, known := t.kinds[kind]; !known && len(t.kinds) >= maxKinds {
		kind = otherKind
	}
	t.kinds[kind]++
}

// kindOf names what went wrong with a request, "" where nothing did. The
// client puts the method and the address before it.
func kindOf(r *vegeta.Result) string {
	if _, kind, ok := strings.Cut(r.Error, `": `); ok && r.Code == 0 {
		return kind
	}
	return r.Error
}

func (t *tally) snapshot(now time.Time) Snapshot {
	elapsed := now.Sub(t.began)
	return Snapshot{Elapsed: elapsed, Duration: t.plan.Duration, Planned: int(t.pacer.total), Answered: t.answered,
		Failed: t.answered - t.good, Rate: t.rate.perSecond(), Wanted: t.pacer.Rate(min(elapsed, t.plan.Duration)),
		P50: t.all.quantile(0.50), P95: t.all.quantile(0.95)}
}

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
