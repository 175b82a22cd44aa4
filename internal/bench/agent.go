package main

import (
	"context"
	"fmt"
	"time"

	"kurama/sdk/reqsim"
)

const (
	agentRate = 5000 // records per second
	agentTime = 30 * time.Second
)

// pipeline are the roles that carry a record from the agent's socket to every
// sink, the live dashboard and the autoscaler among them.
var pipeline = []string{"logship", "stream", "persist", "archive", "profile", "alert", "dashboard", "autoscaler"}

// measureAgent sends half requests, half log lines at a steady rate and reads
// what each role used meanwhile.
func (b *bench) measureAgent(ctx context.Context) error {
	p, err := b.up(ctx)
	if err != nil {
		return err
	}
	if err := p.settle(ctx); err != nil {
		return err
	}
	before, err := p.use()
	if err != nil {
		return err
	}
	sent, err := reqsim.Stream(ctx, reqsim.StreamPlan{Socket: p.folders.Socket("agent.sock"), App: appName,
		Records: int(agentTime.Seconds()) * agentRate, Rate: agentRate}, nil)
	if err != nil {
		return err
	}
	after, err := p.use()
	if err != nil {
		return err
	}
	pid, err := p.process("logship")
	if err != nil {
		return err
	}
	held, err := memoryOf(pid)
	if err != nil {
		return err
	}
	used, wall := after.since(before), after.at.Sub(before.at)
	if sent.Rate < 0.98*agentRate {
		return fmt.Errorf("only %.0f of %d records/s went through, so the figures would be of another load", sent.Rate, agentRate)
	}
	add := func(name string, value float64, unit string, bound float64) {
		b.report.add(figure{Section: "agent", Name: name, Unit: unit, Value: value, Peer: "bound", PeerValue: bound, Aim: valueAtMost(bound)})
	}
	add("CPU of the agent", percent(used.of("logship"), wall), "% of a core", 6)
	add("memory of the agent (RSS)", held.rss, "MiB", 40)
	add("CPU of the whole pipeline, Postgres aside", percent(used.of(pipeline...), wall), "% of a core", 25)
	for _, role := range append(pipeline[1:], "postgres") {
		b.report.add(figure{Section: "agent", Name: "of it or beside it: " + role, Unit: "% of a core", Value: percent(used.of(role), wall),
			Peer: "a core", PeerValue: 100})
	}
	return p.settle(ctx)
}
