package autoscaler

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"kurama/paas"
)

// metrics are what the role tells about itself over HTTP.
type metrics struct {
	registry  *prometheus.Registry
	apps      prometheus.Gauge
	decisions *prometheus.CounterVec
	ready     atomic.Bool // the last round read the stream and the database
}

func newMetrics() *metrics {
	m := &metrics{
		registry:  prometheus.NewRegistry(),
		apps:      prometheus.NewGauge(prometheus.GaugeOpts{Name: "kurama_autoscaler_apps", Help: "Apps that are watched."}),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kurama_autoscaler_decisions_total", Help: "Decisions by direction."}, []string{"direction"}),
	}
	m.registry.MustRegister(m.apps, m.decisions)
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
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !m.ready.Load() {
			http.Error(w, "The stream or the database is away.", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	stopped := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stopped()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) || ctx.Err() == nil {
		return err
	}
	return nil
}
