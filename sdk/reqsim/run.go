package reqsim

import (
	"context"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// grace is how long requests under way may still take when a run is stopped.
const grace = 2 * time.Second

// progressEvery is the time between two snapshots.
const progressEvery = 250 * time.Millisecond

// Snapshot is how far a run has come.
type Snapshot struct {
	Elapsed, Duration time.Duration
	Planned           int     // requests of the whole run
	Answered          int     // requests that ended, well or not
	Failed            int     // of them
	Rate              float64 // answers per second, lately
	Wanted            float64 // rate of the plan at this moment
	P50, P95          float64 // ms, of the whole run so far; 0 before the first answer
}

// Run sends the plan's requests and returns its report. Requests are sent when
// they are due, whether or not earlier ones were answered, up to
// plan.MaxInFlight at a time. When ctx ends the run stops early, gives the
// requests under way two seconds, and still returns its report. progress, if
// not nil, is called a few times a second. The error tells what is wrong with
// the plan.
func Run(ctx context.Context, plan Plan, progress func(Snapshot)) (Report, error) {
	plan, err := plan.complete()
	if err != nil {
		return Report{}, err
	}
	ts, err := newTargets(plan)
	if err != nil {
		return Report{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop, cut := context.WithCancel(context.Background())
	defer cut()
	client, closeIdle := newClient(plan, stop)
	defer closeIdle()
	attacker := vegeta.NewAttacker(vegeta.Client(client), vegeta.MaxBody(0),
		vegeta.Workers(uint64(min(10, plan.MaxInFlight))), vegeta.MaxWorkers(uint64(plan.MaxInFlight)))
	pace := newPacer(ctx, curveOf(plan))
	ending := context.AfterFunc(ctx, func() {
		attacker.Stop()
		time.AfterFunc(grace, cut)
	})
	defer ending()
	t := newTally(plan, pace)
	t.gather(attacker.Attack(ts.targeter(plan), pace, 0, ""), progress)
	t.sending = plan.Duration
	if ctx.Err() != nil {
		t.sending = min(plan.Duration, t.ended.Sub(t.began))
	}
	return t.report(), nil
}
