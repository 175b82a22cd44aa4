package stream

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// lagTimeout bounds how long a scrape waits for the stream.
const lagTimeout = 2 * time.Second

// Stater tells the state of a stream; Stream is one.
type Stater interface {
	State(ctx context.Context) (State, error)
}

// LagGauge is kurama_<role>_lag: how many batches on the stream lie behind the
// position that a role has reached. It is asked for at a scrape, as the stream
// knows its end and its reader does not; NaN while the stream does not answer,
// or the role has reached none (false).
func LagGauge(role string, source Stater, reached func() (position uint64, known bool)) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "kurama", Subsystem: role, Name: "lag",
		Help: "Batches on the stream that the role has not taken yet; NaN while that is not known."}, func() float64 {
		position, known := reached()
		if !known {
			return math.NaN()
		}
		ctx, cancel := context.WithTimeout(context.Background(), lagTimeout)
		defer cancel()
		state, err := source.State(ctx)
		if err != nil {
			return math.NaN()
		}
		return max(0, float64(state.Last)-float64(position))
	})
}
