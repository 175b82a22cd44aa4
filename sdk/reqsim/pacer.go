package reqsim

import (
	"context"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// slack is how much later than the end of a run requests that were due before
// it may still be sent: the clock of a busy machine wakes late.
const slack = 50 * time.Millisecond

// pacer sends the requests of a curve when they are due. It waits by itself,
// since a pause that the attacker makes cannot be cut short.
type pacer struct {
	ctx    context.Context
	course *course
	end    time.Duration // nothing is sent after it, even if it is due
	began  time.Time     // set before the first request is sent
	sent   atomic.Int64  // visits that were begun
}

var _ vegeta.Pacer = (*pacer)(nil)

func newPacer(ctx context.Context, c *course) *pacer {
	return &pacer{ctx: ctx, course: c, end: seconds64(c.end)}
}

// wait returns how long after elapsed request hits is due, and whether the
// run is over instead.
func (p *pacer) wait(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	if hits >= p.course.total || elapsed > p.end+slack {
		return 0, true
	}
	return max(p.course.due(hits)-elapsed, 0), false
}

// Pace waits until the next request is due; true ends the run.
func (p *pacer) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	if p.began.IsZero() {
		p.began = time.Now().Add(-elapsed)
	}
	wait, over := p.wait(elapsed, hits)
	if over || p.ctx.Err() != nil {
		return 0, true
	}
	if wait == 0 {
		return 0, false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return 0, false
	case <-p.ctx.Done():
		return 0, true
	}
}

// Rate returns the rate wanted at a time, per second.
func (p *pacer) Rate(elapsed time.Duration) float64 { return p.course.at(elapsed.Seconds()) }
