package router

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"kurama/paas"
)

// maxTable bounds the routing table on the control socket, bytes.
const maxTable = 64 << 20

// control returns the handler of the control socket.
func (rt *Router) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /table", rt.putTable)
	mux.HandleFunc("GET /inflight", rt.getInFlight)
	mux.HandleFunc("GET /heard", rt.getHeard)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "ready, table %d\n", rt.table.Load().version)
	})
	mux.Handle("GET /metrics", rt.metrics)
	return mux
}

func (rt *Router) putTable(w http.ResponseWriter, r *http.Request) {
	var t paas.Table
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxTable)).Decode(&t); err != nil {
		http.Error(w, fmt.Sprintf("The table cannot be read: %v", err), http.StatusBadRequest)
		return
	}
	err := rt.Apply(t)
	invalid, isInvalid := errors.AsType[*paas.Invalid](err)
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, paas.ErrConflict):
		http.Error(w, err.Error(), http.StatusConflict)
	case isInvalid:
		http.Error(w, invalid.Reason, http.StatusUnprocessableEntity)
	default:
		rt.log.Error("table not taken", "version", t.Version, "err", err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (rt *Router) getInFlight(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(rt.InFlight())
}

func (rt *Router) getHeard(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(rt.Heard())
}

var (
	descRequests = prometheus.NewDesc("kurama_router_requests_total", "Requests answered, by class of status.", []string{"tenant", "app", "class"}, nil)
	descInFlight = prometheus.NewDesc("kurama_router_in_flight", "Requests at replicas.", []string{"tenant", "app"}, nil)
	descQueued   = prometheus.NewDesc("kurama_router_queued", "Requests that wait for a replica.", []string{"tenant", "app"}, nil)
	descTargets  = prometheus.NewDesc("kurama_router_targets", "Replicas that take requests.", []string{"tenant", "app"}, nil)
	descUnknown  = prometheus.NewDesc("kurama_router_unknown_host_total", "Requests for a host that no app has.", nil, nil)
	descRetries  = prometheus.NewDesc("kurama_router_retries_total", "Requests sent to a replica again.", nil, nil)
	descDropped  = prometheus.NewDesc("kurama_router_records_dropped_total", "Records dropped because the buffer to the agent was full.", nil, nil)
	descEjected  = prometheus.NewDesc("kurama_router_ejections_total", "Times that a replica was left out of the balancing.", []string{"tenant", "app"}, nil)
	descVersion  = prometheus.NewDesc("kurama_router_table_version", "Version of the routing table in force.", nil, nil)
)

// collector reads the router's counters when /metrics is asked, so that requests
// pay for nothing but an atomic increment.
type collector struct{ router *Router }

func newMetrics(rt *Router) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector{rt})
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// Describe sends the descriptions of all figures.
func (c collector) Describe(to chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, to) }

// Collect sends the figures of this moment.
func (c collector) Collect(to chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, n int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, n int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}
	now := c.router.table.Load()
	for _, a := range now.apps {
		inflight, queued, targets := a.load()
		gauge(descInFlight, int64(inflight), a.tenant, a.name)
		gauge(descQueued, int64(queued), a.tenant, a.name)
		gauge(descTargets, int64(targets), a.tenant, a.name)
		counter(descEjected, a.ejections.Load(), a.tenant, a.name)
		for class := 1; class <= 5; class++ {
			counter(descRequests, a.classes[class].Load(), a.tenant, a.name, fmt.Sprintf("%dxx", class))
		}
	}
	counter(descUnknown, c.router.unknown.Load())
	counter(descRetries, c.router.retries.Load())
	counter(descDropped, c.router.dropped.Load())
	gauge(descVersion, now.version)
}
