package reqsim

import (
	"context"
	"net/http"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// grace is how long requests under way may still take when a run is stopped.
const grace = 2 * time.Second

// progressEvery is the time between two snapshots.
const progressEvery = 250 * time.Millisecond

// Snapshot is how far a run has come.
type Snapshot struct {
	Elapsed  time.Duration `json:"elapsed"` // ns
	Duration time.Duration `json:"duration"`
	Planned  int           `json:"planned"`  // visits of the whole run
	Answered int           `json:"answered"` // requests that ended, well or not
	Failed   int           `json:"failed"`   // of them
	Rate     float64       `json:"rate"`     // answers per second, lately
	Wanted   float64       `json:"wanted"`   // rate of the plan at this moment
	Phase    string        `json:"phase"`
	P50      float64       `json:"p50"` // ms, of the whole run so far; 0 before the first answer
	P95      float64       `json:"p95"`
	P99      float64       `json:"p99"`
	Points   []Point       `json:"-"` // the seconds so far
}

// Run sends the plan's requests and returns its report. Requests are sent when
// they are due, whether or not earlier ones were answered, up to
// plan.MaxInFlight visits at a time, and take as long as it is from when they
// were due until they are answered: a stall counts for all whom it would have
// hit. When ctx ends the run stops early, gives the requests under way two
// seconds, and still returns its report. progress, if not nil, is called a few
// times a second. The error tells what is wrong with the plan.
func Run(ctx context.Context, plan Plan, progress func(Snapshot)) (Report, error) {
	plan, err := plan.complete()
	if err != nil {
		return Report{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop, cut := context.WithCancel(context.Background())
	defer cut()
	sender, closeIdle := newTransport(plan, stop)
	defer closeIdle()
	pace := newPacer(ctx, courseOf(plan))
	results := make(chan result, 256)
	people, err := newVisitors(plan, pace, sender, stop, results)
	if err != nil {
		return Report{}, err
	}
	attacker := vegeta.NewAttacker(vegeta.Client(&http.Client{Transport: people}), vegeta.MaxBody(0),
		vegeta.Workers(uint64(min(10, plan.MaxInFlight))), vegeta.MaxWorkers(uint64(plan.MaxInFlight)))
	ending := context.AfterFunc(ctx, func() {
		attacker.Stop()
		time.AfterFunc(grace, cut)
	})
	defer ending()
	t := newTally(plan, pace)
	go func() { // the attacker's own results only say that visits end
		for range attacker.Attack(people.targeter, pace, 0, "") {
		}
		close(results)
	}()
	t.gather(ctx, results, progress)
	t.sending = plan.Duration
	if ctx.Err() != nil {
		t.sending = min(plan.Duration, t.ended.Sub(t.began))
	}
	return t.report(), nil
}
