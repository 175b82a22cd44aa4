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
  kurama alerts list hello
  kurama alerts test hello ID
  kurama alerts rm hello ID`}
	cmd.AddCommand(alertsAddCommand(), alertsListCommand(),
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
	var hold time.Duration
	cmd := &cobra.Command{Use: "add APP", Short: "Add an alert",
		Example: `  kurama alerts add hello --when 'cpu > 90' --for 1m --to ann@example.org
  kurama alerts add hello --when 'p95 > 500 && rate > 1' --to ops@example.org`, Args: cobra.ExactArgs(1)}
	cmd.Flags().StringVar(&when, "when", "", "condition, such as 'cpu > 90'")
	cmd.Flags().DurationVar(&hold, "for", 0, "how long it must hold, such as 1m")
	cmd.Flags().StringVar(&to, "to", "", "e-mail address that is told")
	_ = cmd.MarkFlagRequired("when")
	_ = cmd.MarkFlagRequired("to")
	return asks(cmd, func(s *session, args []string) error {
		var rule api.Rule
		if err := s.send("POST", appPath(args[0], "alerts"), api.NewRule{Condition: when, For: hold.Seconds(), Receiver: to}, &rule); err != nil {
			return err
		}
		return s.print(rule, func() {
			s.done("alert %s: mail to %s when %s%s", rule.ID, rule.Receiver, rule.Condition, holding(rule.For))
		})
	})
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
