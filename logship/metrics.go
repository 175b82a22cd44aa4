package logship

import (
	"context"
	"errors"
	"net"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"kurama/internal/health"
)

// metrics are the agent's own figures.
type metrics struct {
	registry     *prometheus.Registry
	lines        prometheus.Counter
	records      prometheus.Counter
	dropped      prometheus.Counter
	spooled      prometheus.Counter
	published    prometheus.Counter
	failed       prometheus.Counter
	publish      prometheus.Histogram
	sessions     prometheus.Gauge
	replicas     prometheus.Gauge
	spoolBatches prometheus.Gauge
	spoolBytes   prometheus.Gauge
}

func newMetrics() *metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	with := promauto.With(registry)
	counter := func(name, help string) prometheus.Counter {
		return with.NewCounter(prometheus.CounterOpts{Namespace: "kurama", Subsystem: "logship", Name: name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return with.NewGauge(prometheus.GaugeOpts{Namespace: "kurama", Subsystem: "logship", Name: name, Help: help})
	}
	return &metrics{
		registry:  registry,
		lines:     counter("lines_total", "Lines that came from sockets and containers."),
		records:   counter("records_total", "Records that are on the stream."),
		dropped:   counter("dropped_total", "Records dropped at a bound."),
		spooled:   counter("spooled_total", "Records that went through the spool."),
		published: counter("batches_total", "Batches that are on the stream."),
		failed:    counter("publish_failures_total", "Attempts to publish that failed."),
		publish: with.NewHistogram(prometheus.HistogramOpts{Namespace: "kurama", Subsystem: "logship", Name: "publish_seconds",
			Help: "Time until the stream had a batch safe.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 12)}),
		sessions:     gauge("sessions", "Clients connected to the agent's sockets."),
		replicas:     gauge("replicas", "Replicas that the agent takes care of."),
		spoolBatches: gauge("spool_batches", "Batches that wait for the stream."),
		spoolBytes:   gauge("spool_bytes", "Bytes that wait for the stream."),
	}
}

// serveHTTP serves /healthz, /readyz and /metrics on l until ctx ends.
func (a *Agent) serveHTTP(ctx context.Context, l net.Listener) error {
	return health.Serve(ctx, l, health.Page(func() error {
		if !a.ready.Load() {
			return errors.New("the agent is not listening yet")
		}
		return nil
	}, a.count.registry))
}
