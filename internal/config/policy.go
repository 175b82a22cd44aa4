package config

import (
	"time"

	"kurama/paas"
)

// Default returns the autoscaling policy of apps that have none of their own.
func (a Autoscaler) Default() paas.Policy {
	p := paas.DefaultPolicy()
	p.Name, p.Min, p.Max = a.Policy, a.Min, a.Max
	p.LoadWindow, p.LoadUp, p.LoadDown = a.LoadWindow.Seconds(), a.LoadUp, a.LoadDown
	p.TimeWindow, p.TimeUp = a.TimeWindow.Seconds(), float64(a.TimeUp)/float64(time.Millisecond)
	p.Cooldown = a.Cooldown.Seconds()
	return p
}

// checkPolicy refuses a default policy that no app may have.
func (c *Config) checkPolicy(add adder) {
	for _, problem := range c.Autoscaler.Default().Problems() {
		key := problem.Field
		if key == "name" {
			key = "policy"
		}
		add("autoscaler."+key, "%s", problem.Says)
	}
}
