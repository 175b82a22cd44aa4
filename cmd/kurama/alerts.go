package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kurama/paas/api"
)

func alertsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "alerts", Short: "Send mail when a condition on an app holds",
		Example: `  kurama alerts add hello --when 'cpu > 90' --for 1m --to ann@example.org
  kurama alerts add hello --when 'p95(dur, "5m") > 200 && rate("1m") > 1' --to ann@example.org
  kurama alerts try hello --when 'count(level >= ERROR, "5m") >= 10'
  kurama alerts list hello
  kurama alerts test hello ID
  kurama alerts rm hello ID`}
	cmd.AddCommand(alertsAddCommand(), alertsListCommand(), alertsTryCommand(), alertsSilenceCommand(), alertsSilencesCommand(), alertsUnsilenceCommand(),
		asks(&cobra.Command{Use: "test APP ID", Short: "Send a test message as the alert would", Example: "  kurama alerts test hello 0193…", Args: cobra.ExactArgs(2)},
			func(s *session, args []string) error {
				var said struct {
					Message string `json:"message"`
				}
				if err := s.send("POST", appPath(args[0], "alerts", args[1], "test"), nil, &said); err != nil {
					return err
				}
				return s.print(said, func() { s.done("%s", said.Message) })
			}),
		asks(&cobra.Command{Use: "rm APP ID", Short: "Remove an alert", Example: "  kurama alerts rm hello 0193…", Args: cobra.ExactArgs(2)},
			func(s *session, args []string) error {
				if err := s.send("DELETE", appPath(args[0], "alerts", args[1]), nil, nil); err != nil {
					return err
				}
				return s.print(map[string]string{"deleted": args[1]}, func() { s.done("alert %s removed", args[1]) })
			}))
	return cmd
}

func alertsAddCommand() *cobra.Command {
	var when, to string
	var hold, keep, repeat time.Duration
	cmd := &cobra.Command{Use: "add APP", Short: "Add an alert",
		Example: `  kurama alerts add hello --when 'cpu > 90' --for 1m --to ann@example.org
  kurama alerts add hello --when 'p95 > 500 && rate > 1' --to ops@example.org`, Args: cobra.ExactArgs(1)}
	cmd.Flags().StringVar(&when, "when", "", "condition, such as 'cpu > 90'")
	cmd.Flags().DurationVar(&hold, "for", 0, "how long it must hold, such as 1m")
	cmd.Flags().StringVar(&to, "to", "", "e-mail address that is told, or a webhook: https://… or slack:https://…")
	cmd.Flags().DurationVar(&keep, "keep-firing", 0, "how long it goes on firing after the condition has ended")
	cmd.Flags().DurationVar(&repeat, "repeat", 0, "a reminder this often while it fires, such as 4h")
	_ = cmd.MarkFlagRequired("when")
	_ = cmd.MarkFlagRequired("to")
	return asks(cmd, func(s *session, args []string) error {
		var rule api.Rule
		if err := s.send("POST", appPath(args[0], "alerts"), api.NewRule{Condition: when, For: hold.Seconds(), KeepFiring: keep.Seconds(), Repeat: repeat.Seconds(), Receiver: to}, &rule); err != nil {
			return err
		}
		return s.print(rule, func() {
			s.done("alert %s: a message to %s when %s%s", rule.ID, rule.Receiver, rule.Condition, holding(rule.For))
		})
	})
}

// alertsTryCommand shows what a condition would have said.
func alertsTryCommand() *cobra.Command {
	var when string
	var hold time.Duration
	cmd := &cobra.Command{Use: "try APP", Short: "Try a condition on the last hour, without adding it",
		Example: `  kurama alerts try hello --when 'p95(dur, "5m") > 200 && rate("1m") > 1'`, Args: cobra.ExactArgs(1)}
	cmd.Flags().StringVar(&when, "when", "", "condition, such as 'cpu > 90'")
	cmd.Flags().DurationVar(&hold, "for", 0, "how long it must hold, such as 1m")
	_ = cmd.MarkFlagRequired("when")
	return asks(cmd, func(s *session, args []string) error {
		var view api.RulePreview
		body := map[string]any{"condition": when, "for": hold.Seconds()}
		if err := s.send("POST", appPath(args[0], "alerts", "preview"), body, &view); err != nil {
			return err
		}
		return s.print(view, func() {
			s.say("%s: held for %.0f s of the last hour and would have fired %s. Now: %s.", view.Condition, view.Held, times(view.Fired), view.Now)
			if line := sparkline(view.Points); line != "" {
				s.say("%s, last hour: %s", view.Subject, line)
			}
		})
	})
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// sparkline draws points in a line of sixty characters; gaps stay blank.
func sparkline(points []api.PreviewPoint) string {
	const width = 60
	bars := []rune(" ▁▂▃▄▅▆▇█")
	high, cells := 0.0, make([]float64, width)
	for i, p := range points {
		if p.Value != nil {
			cell := i * width / len(points)
			cells[cell] = max(cells[cell], *p.Value)
			high = max(high, *p.Value)
		}
	}
	if high <= 0 {
		return ""
	}
	line := make([]rune, width)
	for i, v := range cells {
		line[i] = bars[int(max(0, v)/high*float64(len(bars)-1)+0.5)]
	}
	return string(line)
}

func holding(seconds float64) string {
	if seconds == 0 {
		return ""
	}
	return fmt.Sprintf(" for %s", time.Duration(seconds*float64(time.Second)))
}

func alertsListCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "list APP", Short: "List the alerts of an app", Example: "  kurama alerts list hello", Args: cobra.ExactArgs(1)},
		func(s *session, args []string) error {
			var list struct {
				Alerts []api.Rule `json:"alerts"`
			}
			if err := s.get(appPath(args[0], "alerts"), nil, &list); err != nil {
				return err
			}
			return s.print(list, func() {
				rows := make([][]string, len(list.Alerts))
				for i, r := range list.Alerts {
					since := "–"
					if r.Since != nil {
						since = ago(*r.Since)
					}
					rows[i] = []string{r.ID, r.State, since, r.Condition + holding(r.For), orDash(r.Value), r.Receiver}
				}
				s.table("ID STATE SINCE CONDITION VALUE TO", rows)
			})
		})
}
