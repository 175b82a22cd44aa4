package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"kurama/paas"
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

func releasesCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "releases APP", Short: "List the releases of an app", Example: "  kurama releases hello", Args: cobra.ExactArgs(1)},
		func(s *session, args []string) error {
			var list struct {
				Releases []paas.Release `json:"releases"`
			}
			if err := s.get(appPath(args[0], "releases"), nil, &list); err != nil {
				return err
			}
			return s.print(list, func() {
				rows := make([][]string, len(list.Releases))
				for i, r := range list.Releases {
					what := firstLine(r.Reason)
					if r.RollbackOf > 0 {
						what = fmt.Sprintf("rollback to %d. %s", r.RollbackOf, what)
					}
					rows[i] = []string{strconv.Itoa(r.Number), string(r.State), ago(r.CreatedAt), r.CreatedBy, what}
				}
				s.table("RELEASE STATE CREATED BY NOTE", rows)
			})
		})
}

func rollbackCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "rollback APP [RELEASE]", Short: "Go back to an earlier release",
		Example: "  kurama rollback hello        to the one before\n  kurama rollback hello 3", Args: cobra.RangeArgs(1, 2)},
		func(s *session, args []string) error {
			number := 0
			if len(args) == 2 {
				var err error
				if number, err = strconv.Atoi(args[1]); err != nil || number < 1 {
					return fmt.Errorf("%q is not the number of a release. `kurama releases %s` lists them", args[1], args[0])
				}
			}
			var release paas.Release
			if err := s.send("POST", appPath(args[0], "rollback"), map[string]int{"release": number}, &release); err != nil {
				return err
			}
			return s.follow(release, false)
		})
}
