package main

import (
	"time"

	"github.com/spf13/cobra"

	"kurama/paas/api"
)

func alertsSilenceCommand() *cobra.Command {
	var span time.Duration
	var comment string
	cmd := &cobra.Command{Use: "silence APP [ID]", Short: "Tell nobody of an alert, or of any of an app's, for a while",
		Example: `  kurama alerts silence hello --for 2h --comment "the database moves"
  kurama alerts silence hello 0193… --for 30m`, Args: cobra.RangeArgs(1, 2)}
	cmd.Flags().DurationVar(&span, "for", time.Hour, "how long, at most 720h")
	cmd.Flags().StringVar(&comment, "comment", "", "why")
	return asks(cmd, func(s *session, args []string) error {
		in := api.NewSilence{StartsAt: time.Now(), EndsAt: time.Now().Add(span), Comment: comment}
		if len(args) > 1 {
			in.Alert = args[1]
		}
		var silence api.Silence
		if err := s.send("POST", appPath(args[0], "silences"), in, &silence); err != nil {
			return err
		}
		return s.print(silence, func() { s.done("silence %s until %s", silence.ID, silence.EndsAt.Local().Format(time.DateTime)) })
	})
}

func alertsSilencesCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "silences APP", Short: "List the silences of an app's alerts", Example: "  kurama alerts silences hello", Args: cobra.ExactArgs(1)},
		func(s *session, args []string) error {
			var list struct {
				Silences []api.Silence `json:"silences"`
			}
			if err := s.get(appPath(args[0], "silences"), nil, &list); err != nil {
				return err
			}
			return s.print(list, func() {
				rows := make([][]string, len(list.Silences))
				for i, one := range list.Silences {
					rows[i] = []string{one.ID, orDash(one.Alert), one.StartsAt.Local().Format(time.DateTime), one.EndsAt.Local().Format(time.DateTime), orDash(one.CreatedBy), orDash(one.Comment)}
				}
				s.table("ID ALERT FROM TO BY COMMENT", rows)
			})
		})
}

func alertsUnsilenceCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "unsilence APP ID", Short: "End a silence", Example: "  kurama alerts unsilence hello 0193…", Args: cobra.ExactArgs(2)},
		func(s *session, args []string) error {
			if err := s.send("DELETE", appPath(args[0], "silences", args[1]), nil, nil); err != nil {
				return err
			}
			return s.print(map[string]string{"ended": args[1]}, func() { s.done("silence %s ended", args[1]) })
		})
}
