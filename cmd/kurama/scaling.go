package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"kurama/paas"
)

func scalingCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "scaling APP", Short: "Show or change how an app is scaled", Long: scalingHelp(),
		Example: `  kurama scaling hello
  kurama scaling hello --min 2 --max 6 --load-up 70
  kurama scaling hello --policy step --set up=55
  kurama scaling hello --schedule 'Mon-Fri 08:00-18:00 3'
  kurama scaling hello --policy off`, Args: cobra.ExactArgs(1)}
	flags := cmd.Flags()
	flags.String("policy", "", strings.Join(paas.PolicyNames(), ", "))
	flags.Int("min", 0, "replicas at least")
	flags.Int("max", 0, "replicas at most")
	flags.String("schedule", "", "replicas at least, at set times in UTC: 'Mon-Fri 08:00-18:00 3; Sat 10:00-14:00 2'")
	flags.StringArray("set", nil, "a number of the policy, as NAME=VALUE (repeatable)")
	for _, n := range flagNumbers() {
		flags.Float64(flagOf(n), 0, unitOf(n)+n.What)
	}
	return asks(cmd, func(s *session, args []string) error {
		p, err := s.scaling(args[0])
		if err != nil {
			return err
		}
		return s.print(p, func() { s.showPolicy(p) })
	})
}

// scaling changes an app's policy where flags ask for it, and returns it.
func (s *session) scaling(app string) (p paas.Policy, err error) {
	change := s.scalingChange()
	sets, _ := s.cmd.Flags().GetStringArray("set")
	if len(change) == 0 || len(sets) > 0 {
		if err := s.get(appPath(app, "scaling"), nil, &p); err != nil {
			return p, err
		}
	}
	if len(change)+len(sets) == 0 {
		return p, nil
	}
	if name, ok := change["name"].(string); ok {
		p.Name = name
	}
	if err := setNumbers(p, sets, change); err != nil {
		return p, err
	}
	if err = s.send("PUT", appPath(app, "scaling"), change, &p); err == nil {
		s.done("the policy of %s is changed", app)
	}
	return p, err
}

// setNumbers puts NAME=VALUE pairs into a change: names are those of the policy
// that will be in force.
func setNumbers(p paas.Policy, sets []string, change map[string]any) error {
	for _, pair := range sets {
		name, text, ok := strings.Cut(pair, "=")
		v, err := strconv.ParseFloat(text, 64)
		if !ok || err != nil {
			return fmt.Errorf("%q is not of the form NAME=VALUE with a number as value", pair)
		}
		n, err := p.Number(name)
		if err != nil {
			return err
		}
		policy, field, dotted := strings.Cut(n.Field(), ".")
		if !dotted {
			change[n.Field()] = v
			continue
		}
		below, _ := change[policy].(map[string]float64)
		if below == nil {
			below = map[string]float64{}
			change[policy] = below
		}
		below[field] = v
	}
	return nil
}

// flagNumbers are the numbers that have a flag of their own: kurama's, and
// what several policies share.
func flagNumbers() []paas.Number {
	var list []paas.Number
	for _, n := range paas.Numbers("") {
		if n.Field() == n.Name {
			list = append(list, n)
		}
	}
	return list
}

func flagOf(n paas.Number) string { return strings.ReplaceAll(n.Name, "_", "-") }

func unitOf(n paas.Number) string {
	if n.Unit == "" {
		return ""
	}
	return n.Unit + " "
}

// scalingHelp lists the policies with their numbers.
func scalingHelp() string {
	b := strings.Builder{}
	b.WriteString("Shows or changes how an app is scaled. The policies, and the numbers that --set changes:\n")
	for _, info := range paas.Policies() {
		fmt.Fprintf(&b, "\n%s\n  %s\n", info.Name, info.What)
		for _, n := range paas.Numbers(info.Name) {
			fmt.Fprintf(&b, "    %-16s %g %s%s\n", n.Name, n.Default, unitOf(n), n.What)
		}
	}
	return b.String()
}

// scalingChange holds the flags that were given.
func (s *session) scalingChange() map[string]any {
	flags, change := s.cmd.Flags(), map[string]any{}
	for flag, field := range map[string]string{"policy": "name", "schedule": "schedule"} {
		if text, _ := flags.GetString(flag); flags.Changed(flag) {
			change[field] = text
		}
	}
	for _, flag := range []string{"min", "max"} {
		if n, _ := flags.GetInt(flag); flags.Changed(flag) {
			change[flag] = n
		}
	}
	for _, n := range flagNumbers() {
		if v, _ := flags.GetFloat64(flagOf(n)); flags.Changed(flagOf(n)) {
			change[n.Field()] = v
		}
	}
	return change
}

func (s *session) showPolicy(p paas.Policy) {
	switch p.Name {
	case paas.PolicyOff:
		_, _ = fmt.Fprintln(s.out, "The autoscaler is off for this app.")
		return
	case paas.PolicyKurama:
		_, _ = fmt.Fprintf(s.out, `policy    %s, %d to %d replicas, %g s between decisions
up        p95 of load over %g s above %g %%, or p95 of response time over %g s above %g ms
down      p95 of load over %g s below %g %%
`, p.Name, p.Min, p.Max, p.Cooldown, p.LoadWindow, p.LoadUp, p.TimeWindow, p.TimeUp, p.LoadWindow, p.LoadDown)
	default:
		_, _ = fmt.Fprintf(s.out, "policy    %s, %d to %d replicas\n", p.Name, p.Min, p.Max)
		for _, n := range paas.Numbers(p.Name) {
			_, _ = fmt.Fprintf(s.out, "  %-16s %g %s%s\n", n.Name, n.Of(p), unitOf(n), n.What)
		}
	}
	if p.Schedule != "" {
		_, _ = fmt.Fprintf(s.out, "schedule  %s (UTC)\n", p.Schedule)
	}
}

func decisionsCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "decisions APP", Short: "List what the autoscaler decided, and why", Example: "  kurama decisions hello", Args: cobra.ExactArgs(1)},
		func(s *session, args []string) error {
			var list struct {
				Decisions []paas.Decision `json:"decisions"`
			}
			if err := s.get(appPath(args[0], "decisions"), nil, &list); err != nil {
				return err
			}
			return s.print(list, func() {
				if len(list.Decisions) == 0 {
					s.say("The autoscaler has decided nothing for %s yet.", args[0])
				}
				for _, d := range list.Decisions {
					_, _ = fmt.Fprintf(s.out, "%-16s  %s\n", ago(d.At), d.Reason)
				}
			})
		})
}
