package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"kurama/paas"
)

// scalingNumbers are the flags of a policy's numbers, by the names of the API.
var scalingNumbers = []struct{ flag, field, what string }{
	{"load-window", "load_window", "seconds over which the load is looked at"},
	{"load-up", "load_up", "percent of load above which replicas are added"},
	{"load-down", "load_down", "percent of load below which replicas are taken away"},
	{"time-window", "time_window", "seconds over which response times are looked at"},
	{"time-up", "time_up", "milliseconds of response time above which replicas are added"},
	{"cooldown", "cooldown", "seconds between two decisions"},
}

func scalingCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "scaling APP", Short: "Show or change how an app is scaled",
		Example: `  kurama scaling hello
  kurama scaling hello --min 2 --max 6 --load-up 70
  kurama scaling hello --policy off`, Args: cobra.ExactArgs(1)}
	flags := cmd.Flags()
	flags.String("policy", "", "kurama, or off")
	flags.Int("min", 0, "replicas at least")
	flags.Int("max", 0, "replicas at most")
	for _, n := range scalingNumbers {
		flags.Float64(n.flag, 0, n.what)
	}
	return asks(cmd, func(s *session, args []string) error {
		change := s.scalingChange()
		var p paas.Policy
		var err error
		if len(change) == 0 {
			err = s.get(appPath(args[0], "scaling"), nil, &p)
		} else if err = s.send("PUT", appPath(args[0], "scaling"), change, &p); err == nil {
			s.done("the policy of %s is changed", args[0])
		}
		if err != nil {
			return err
		}
		return s.print(p, func() { s.showPolicy(p) })
	})
}

// scalingChange holds the flags that were given.
func (s *session) scalingChange() map[string]any {
	flags, change := s.cmd.Flags(), map[string]any{}
	if name, _ := flags.GetString("policy"); flags.Changed("policy") {
		change["name"] = name
	}
	for _, flag := range []string{"min", "max"} {
		if n, _ := flags.GetInt(flag); flags.Changed(flag) {
			change[flag] = n
		}
	}
	for _, number := range scalingNumbers {
		if v, _ := flags.GetFloat64(number.flag); flags.Changed(number.flag) {
			change[number.field] = v
		}
	}
	return change
}

func (s *session) showPolicy(p paas.Policy) {
	if p.Name == "off" {
		_, _ = fmt.Fprintln(s.out, "The autoscaler is off for this app.")
		return
	}
	_, _ = fmt.Fprintf(s.out, `policy    %s, %d to %d replicas, %g s between decisions
up        p95 of load over %g s above %g %%, or p95 of response time over %g s above %g ms
down      p95 of load over %g s below %g %%
`, p.Name, p.Min, p.Max, p.Cooldown, p.LoadWindow, p.LoadUp, p.TimeWindow, p.TimeUp, p.LoadWindow, p.LoadDown)
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
