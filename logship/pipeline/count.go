package pipeline

import "github.com/prometheus/client_golang/prometheus"

// The figures of a gate, as a role shows them; the service's name stands for %s.
var (
	leftHelp = "Records that the pipelines of apps kept from the service."
	appHelp  = "Records of an app that came to the service, by outcome (taken, left): of apps with a pipeline of their own, and of those that somebody looks at."
)

// Describe implements prometheus.Collector.
func (g *Gate) Describe(out chan<- *prometheus.Desc) {
	out <- g.leftDesc()
	out <- g.appDesc()
}

// Collect implements prometheus.Collector.
func (g *Gate) Collect(out chan<- prometheus.Metric) {
	out <- prometheus.MustNewConstMetric(g.leftDesc(), prometheus.CounterValue, float64(g.left.Load()))
	apps := g.apps.Load()
	if apps == nil {
		return
	}
	desc := g.appDesc()
	for key, l := range *apps {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(l.taken.Load()), key.tenant, key.app, "taken")
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(l.left.Load()), key.tenant, key.app, "left")
	}
}

func (g *Gate) leftDesc() *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName("kurama", string(g.service), "left_total"), leftHelp, nil, nil)
}

func (g *Gate) appDesc() *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName("kurama", string(g.service), "app_total"), appHelp, []string{"tenant", "app", "outcome"}, nil)
}
