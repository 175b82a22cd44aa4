package alert

import (
	"context"
	"errors"
	"net"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"kurama/internal/health"
	"kurama/logship/pipeline"
	"kurama/logship/stream"
)

// metrics are what the role tells about itself over HTTP.
type metrics struct {
	registry *prometheus.Registry
	rules    *prometheus.GaugeVec
	messages *prometheus.CounterVec
	records  prometheus.Counter
	position atomic.Uint64 // on the stream, that was read; 0: none yet
	ready    atomic.Bool   // the stream was read to its end
}

func newMetrics(source stream.Stater, gate *pipeline.Gate) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		rules:    prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "kurama_alert_rules", Help: "Alert rules by state."}, []string{"state"}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kurama_alert_attempts_total", Help: "Attempts to deliver a message, by the state they led to."}, []string{"state"}),
		records:  prometheus.NewCounter(prometheus.CounterOpts{Name: "kurama_alert_records_total", Help: "Records read from the stream."}),
	}
	m.registry.MustRegister(m.rules, m.messages, m.records, stream.LagGauge("alert", source, func() (uint64, bool) {
		seq := m.position.Load()
		return seq, seq > 0
	}))
	if gate != nil {
		m.registry.MustRegister(gate)
	}
	return m
}

// delivered counts an attempt.
func (m *metrics) delivered(state string) { m.messages.WithLabelValues(state).Inc() }

// count tells how many rules are in each state.
func (m *metrics) count(rules map[string]*running) {
	n := map[string]int{stateOK: 0, statePending: 0, stateFiring: 0}
	for _, r := range rules {
		n[r.status.state]++
	}
	for state, count := range n {
		m.rules.WithLabelValues(state).Set(float64(count))
	}
}

// serve answers /healthz, /readyz and /metrics until ctx ends.
func (m *metrics) serve(ctx context.Context, l net.Listener) error {
	return health.Serve(ctx, l, health.Page(func() error {
		if !m.ready.Load() {
			return errors.New("the stream or the database is away, or is still being read")
		}
		return nil
	}, m.registry))
}
