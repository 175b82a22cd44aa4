package autoscaler

import (
	"context"
	"errors"
	"net"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"kurama/internal/health"
	"kurama/logship/stream"
	"kurama/paas"
)

// metrics are what the role tells about itself over HTTP.
type metrics struct {
	registry  *prometheus.Registry
	apps      prometheus.Gauge
	decisions *prometheus.CounterVec
	records   prometheus.Counter
	position  atomic.Uint64 // on the stream, that was read; 0: none yet
	ready     atomic.Bool   // the last round read the stream and the database
}

func newMetrics(source stream.Stater) *metrics {
	m := &metrics{
		registry:  prometheus.NewRegistry(),
		apps:      prometheus.NewGauge(prometheus.GaugeOpts{Name: "kurama_autoscaler_apps", Help: "Apps that are watched."}),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kurama_autoscaler_decisions_total", Help: "Decisions by direction."}, []string{"direction"}),
		records:   prometheus.NewCounter(prometheus.CounterOpts{Name: "kurama_autoscaler_records_total", Help: "Records read from the stream."}),
	}
	m.registry.MustRegister(m.apps, m.decisions, m.records, stream.LagGauge("autoscaler", source, func() (uint64, bool) {
		seq := m.position.Load()
		return seq, seq > 0
	}))
	return m
}

// decided counts a decision.
func (m *metrics) decided(d paas.Decision) {
	direction := "up"
	if d.To < d.From {
		direction = "down"
	}
	m.decisions.WithLabelValues(direction).Inc()
}

// serve answers /healthz, /readyz and /metrics until ctx ends.
func (m *metrics) serve(ctx context.Context, l net.Listener) error {
	return health.Serve(ctx, l, health.Page(func() error {
		if !m.ready.Load() {
			return errors.New("the stream or the database is away")
		}
		return nil
	}, m.registry))
}
