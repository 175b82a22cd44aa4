package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kurama/paas"
	"kurama/paas/api"
)

func whatIfCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "what-if APP", Short: "Simulate an app's own last day under another policy",
		Example: `  kurama what-if hello --policy swift
  kurama what-if hello --policy target --max 8 --hours 2
  kurama what-if hello --set load_up=70 --objective 100`, Args: cobra.ExactArgs(1)}
	flags := cmd.Flags()
	flags.String("policy", "", "the other policy (default: the one in force)")
	flags.Int("min", 0, "replicas at least")
	flags.Int("max", 0, "replicas at most")
	flags.String("schedule", "", "replicas at least, at set times in UTC")
	flags.StringArray("set", nil, "a number of the policy, as NAME=VALUE (repeatable)")
	flags.Float64("hours", 24, "how far to look back, at most 24")
	flags.Float64("objective", 0, "response time in ms above which a request is late (default: what the policy aims at)")
	for _, n := range flagNumbers() {
		flags.Float64(flagOf(n), 0, unitOf(n)+n.What)
	}
	return asks(cmd, func(s *session, args []string) error {
		w, err := s.whatIf(args[0])
		if err != nil {
			return err
		}
		return s.print(w, func() { s.showWhatIf(w) })
	})
}

func (s *session) whatIf(app string) (w api.WhatIf, err error) {
	var p paas.Policy
	if err := s.get(appPath(app, "scaling"), nil, &p); err != nil {
		return w, err
	}
	change := s.scalingChange()
	sets, _ := s.cmd.Flags().GetStringArray("set")
	if name, ok := change["name"].(string); ok {
		p.Name = name
	}
	if err := setNumbers(p, sets, change); err != nil {
		return w, err
	}
	in := map[string]any{"policy": change}
	for _, flag := range []string{"hours", "objective"} {
		if v, _ := s.cmd.Flags().GetFloat64(flag); s.cmd.Flags().Changed(flag) {
			in[flag] = v
		}
	}
	return w, s.send("POST", appPath(app, "what-if"), in, &w)
}

func (s *session) showWhatIf(w api.WhatIf) {
	_, _ = fmt.Fprintf(s.out, "%s to %s: a request takes %.3g ms, %.3g ms of it CPU; a replica works on %d at once\n\n",
		w.From.Format("2 Jan 15:04"), w.To.Format("2 Jan 15:04 MST"), w.WorkMs, w.CPUMs, w.Slots)
	out := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(out, "policy\tlate\tfailed\tp95\tp99\treplica-hours\tmost\tchanges\t")
	for i, r := range w.Results {
		name := r.Policy.Name
		if i == 0 {
			name += " (now)"
		}
		_, _ = fmt.Fprintf(out, "%s\t%.2f %%\t%.2f %%\t%.0f ms\t%.0f ms\t%.1f\t%d\t%d\t\n", name, 100*r.Late, 100*r.Errors, r.P95, r.P99, r.ReplicaHours, r.Most, r.Changes)
	}
	_ = out.Flush()
	_, _ = fmt.Fprintf(s.out, "\n%s\n", w.Says)
}
