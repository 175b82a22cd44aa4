package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"kurama/paas/api"
)

func appsCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "apps", Short: "List apps", Example: "  kurama apps\n  kurama apps --json", Args: cobra.NoArgs},
		func(s *session, _ []string) error {
			var list struct {
				Apps []api.AppView `json:"apps"`
			}
			if err := s.get("/apps", nil, &list); err != nil {
				return err
			}
			return s.print(list, func() {
				if len(list.Apps) == 0 {
					s.say("No app yet. Put one online with `kurama deploy PATH`.")
					return
				}
				rows := make([][]string, len(list.Apps))
				for i, a := range list.Apps {
					rows[i] = []string{a.Name, string(a.State), fmt.Sprintf("%d/%d", a.Ready, a.Desired), releaseOf(a.Release), ago(a.UpdatedAt), a.Address}
				}
				s.table("APP STATE READY RELEASE CHANGED ADDRESS", rows)
			})
		})
}

func releaseOf(number int) string {
	if number == 0 {
		return "–"
	}
	return strconv.Itoa(number)
}
