package reqsim

import (
	"context"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// pacer sends the requests of a curve when they are due. It waits by itself,
// since a pause that the attacker makes cannot be cut short.
type pacer struct {
	ctx   context.Context
	curve curve
	total uint64
	end   time.Duration // nothing is sent after it, even if it is due
}

var _ vegeta.Pacer = (*pacer)(nil)

func newPacer(ctx context.Context, c curve) *pacer {
	return &pacer{ctx: ctx, curve: c, total: c.total(), end: time.Duration(c.duration * float64(time.Second))}
}

// wait returns how long after elapsed request hits is due, and whether the
// run is over instead.
func (p *pacer) wait(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	if hits >= p.total || elapsed > p.end {
		return 0, true
	}
	return max(p.curve.due(hits)-elapsed, 0), false
}

// Pace waits until the next request is due; true ends the run.
func (p *pacer) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
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
func (p *pacer) Rate(elapsed time.Duration) float64 { return p.curve.at(elapsed.Seconds()) }
