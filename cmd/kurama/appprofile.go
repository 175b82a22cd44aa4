package main

import (
	"fmt"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"kurama/paas/api"
)

func profileCommand() *cobra.Command {
	var window string
	cmd := &cobra.Command{Use: "profile APP", Short: "Show how each route of an app does",
		Example: "  kurama profile hello\n  kurama profile hello --window 24h", Args: cobra.ExactArgs(1)}
	cmd.Flags().StringVar(&window, "window", "1h", "how far back: 15m, 1h, 24h, or any from 1m to 720h")
	return asks(cmd, func(s *session, args []string) error {
		var view api.ProfileView
		if err := s.get(appPath(args[0], "profile"), url.Values{"window": {window}}, &view); err != nil {
			return err
		}
		return s.print(view, func() {
			if len(view.Routes) == 0 {
				s.say("%s had no requests in the last %s.", args[0], window)
				return
			}
			rows := make([][]string, len(view.Routes))
			for i, r := range view.Routes {
				rows[i] = []string{orDash(r.Method), orDash(r.Route), strconv.FormatInt(r.Requests, 10), strconv.FormatInt(r.Errors, 10),
					figure(r.P50, " ms"), figure(r.P95, " ms"), figure(r.P99, " ms"), figure(r.CPUMs, " ms"), fmt.Sprintf("%.2f/s", r.Rate)}
			}
			s.table("METHOD ROUTE REQUESTS ERRORS P50 P95 P99 CPU RATE", rows)
		})
	})
}
