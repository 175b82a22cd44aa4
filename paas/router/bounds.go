package router

import (
	"cmp"
	"time"

	"kurama/internal/config"
	"kurama/paas"
)

// bounds are what one request to an app may take.
type bounds struct {
	answer time.Duration // until its answer begins
	idle   time.Duration // of silence within the answer; 0: no bound
	body   int64         // bytes
}

// newBounds returns an app's own bounds where it has some, within what the
// platform allows, and the platform's otherwise.
func newBounds(own paas.Bounds, cfg config.Router) *bounds {
	most := cfg.Most()
	return &bounds{
		answer: seconds(min(cmp.Or(own.Timeout, cfg.RequestTimeout.Seconds()), most.Timeout)),
		idle:   seconds(own.Idle),
		body:   min(cmp.Or(own.MaxBody, int64(cfg.MaxBody)), most.MaxBody),
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
