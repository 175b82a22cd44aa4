package sink

import (
	"context"
	"errors"
	"net"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"kurama/internal/health"
	"kurama/logship/stream"
)

// Meter counts what a sink does and serves it with the sink's health.
type Meter struct {
	records prometheus.Counter
	skipped prometheus.Counter
	errors  prometheus.Counter

	registry *prometheus.Registry
	position atomic.Uint64
	trouble  atomic.Pointer[string] // why the sink is not ready; nil while it is
}

// NewMeter returns the meter of the sink called name, which reads deps.Stream
// through deps.Gate.
func NewMeter(name string, deps Deps) *Meter {
	counter := func(what, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "kurama", Subsystem: name, Name: what, Help: help})
	}
	m := &Meter{
		records:  counter("records_total", "Records stored."),
		skipped:  counter("skipped_total", "Records that could not be read or stored and were passed over."),
		errors:   counter("errors_total", "Failures after which the sink started again from its position."),
		registry: prometheus.NewRegistry(),
	}
	starting := "it is starting"
	m.trouble.Store(&starting)
	gauge := func(what, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "kurama", Subsystem: name, Name: what, Help: help}, value)
	}
	m.registry.MustRegister(m.records, m.skipped, m.errors,
		gauge("position", "Sequence of the last batch stored.", func() float64 { return float64(m.position.Load()) }),
		stream.LagGauge(name, deps.Stream, func() (uint64, bool) { return m.position.Load(), true }))
	if deps.Gate != nil {
		m.registry.MustRegister(deps.Gate)
	}
	return m
}

// At tells that the sink is at work and has stored everything up to position.
func (m *Meter) At(position uint64) {
	m.position.Store(position)
	m.trouble.Store(nil)
}

// Stored counts records that were stored and such that had to be passed over.
func (m *Meter) Stored(records, skipped int) {
	m.records.Add(float64(records))
	m.skipped.Add(float64(skipped))
}

// Fail tells why the sink is not at work, and whether it was until now.
func (m *Meter) Fail(err error) (wasReady bool) {
	m.errors.Inc()
	reason := err.Error()
	return m.trouble.Swap(&reason) == nil
}

// Trouble returns why the sink is not ready, or "".
func (m *Meter) Trouble() string {
	if reason := m.trouble.Load(); reason != nil {
		return *reason
	}
	return ""
}

// Serve answers /healthz, /readyz and /metrics on listener until ctx ends.
func (m *Meter) Serve(ctx context.Context, listener net.Listener) error {
	return health.Serve(ctx, listener, health.Page(func() error {
		if reason := m.Trouble(); reason != "" {
			return errors.New(reason)
		}
		return nil
	}, m.registry))
}
