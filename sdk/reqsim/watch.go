package reqsim

import (
	"context"
	"time"
)

// Watch tells how the app is that requests are sent to.
type Watch interface {
	Look(ctx context.Context) (Look, error)
}

// Look is how an app is at a moment. What is not known is null.
type Look struct {
	Wanted *float64 `json:"wanted"` // replicas
	Ready  *float64 `json:"ready"`  // replicas that are healthy
	CPU    *float64 `json:"cpu"`    // percent of the limit, of the busiest replica
	Mem    *float64 `json:"mem"`
}

// lookEvery is the time between two looks.
const lookEvery = time.Second

// looks asks the plan's watch once a second until ctx ends, in its own time:
// an answer that comes late is kept for when it was asked for.
func (t *tally) looks(ctx context.Context, found chan<- dated) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		at := time.Now()
		if look, err := t.plan.Watch.Look(ctx); err == nil {
			select {
			case found <- dated{at, look}:
			case <-ctx.Done():
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// dated is a look with its time.
type dated struct {
	at time.Time
	Look
}
