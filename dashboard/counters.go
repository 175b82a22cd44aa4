package dashboard

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"kurama/logship/pipeline"
)

// counters are the role's own figures on /metrics.
type counters struct {
	registry                                *prometheus.Registry
	records, malformed, late                prometheus.Counter
	frames, built, merged, evicted, refused prometheus.Counter
	clients, apps                           prometheus.Gauge
}

func newCounters(gate *pipeline.Gate) *counters {
	c := &counters{registry: prometheus.NewRegistry()}
	count := func(name, help string) prometheus.Counter {
		m := prometheus.NewCounter(prometheus.CounterOpts{Name: "kurama_dashboard_" + name, Help: help})
		c.registry.MustRegister(m)
		return m
	}
	gauge := func(name, help string) prometheus.Gauge {
		m := prometheus.NewGauge(prometheus.GaugeOpts{Name: "kurama_dashboard_" + name, Help: help})
		c.registry.MustRegister(m)
		return m
	}
	c.records = count("records_total", "Records read from the stream.")
	c.malformed = count("malformed_batches_total", "Batches with a line that is not a record.")
	c.late = count("late_records_total", "Requests and samples too far from now for a point.")
	c.frames = count("frames_total", "Frames handed to clients.")
	c.built = count("frames_built_total", "Frames built; clients of a topic share them.")
	c.merged = count("frames_merged_total", "Frames that stand for several, for clients that lag.")
	c.evicted = count("clients_evicted_total", "Clients cut off because they stalled.")
	c.refused = count("clients_refused_total", "Clients refused because there are too many.")
	c.clients = gauge("clients", "Open pages.")
	c.apps = gauge("apps", "Apps and views kept in memory.")
	if gate != nil {
		c.registry.MustRegister(gate)
	}
	c.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return c
}
