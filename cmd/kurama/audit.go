package main

import (
	"cmp"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"kurama/paas/api"
)

func auditCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Show who did what in the tenant, newest first", Args: cobra.NoArgs,
		Example: `  kurama audit
  kurama audit --who ann --since 24h
  kurama audit --action sign-in --refused
  kurama audit --all                 every tenant, for operators`}
	flags := cmd.Flags()
	flags.String("who", "", "only what this person did")
	flags.String("action", "", "only this operation of the API, such as deploy or sign-in")
	flags.String("app", "", "only what was done to this app")
	flags.Bool("refused", false, "only what was refused or failed")
	flags.Duration("since", 0, "only the last while, such as 24h")
	flags.Int("limit", 100, "lines at most")
	flags.Bool("all", false, "every tenant, and sign-ins with unknown names (operators only)")
	return asks(cmd, func(s *session, _ []string) error {
		list, err := s.deeds()
		if err != nil {
			return err
		}
		return s.print(map[string]any{"deeds": list}, func() {
			rows := make([][]string, len(list))
			for i, d := range list {
				rows[i] = []string{d.At.Local().Format("2006-01-02 15:04:05"), cmp.Or(d.Who, "–"), cmp.Or(d.Via, "–"), d.Address,
					d.Action, cmp.Or(d.Target, "–"), strconv.Itoa(d.Status), d.Detail}
			}
			s.table("AT WHO VIA FROM ACTION TARGET STATUS WHY", rows)
		})
	})
}

// deeds asks for page after page until there are as many lines as wanted.
func (s *session) deeds() ([]api.DeedView, error) {
	flags := s.cmd.Flags()
	query := url.Values{}
	for _, name := range []string{"who", "action", "app"} {
		if v, _ := flags.GetString(name); v != "" {
			query.Set(name, v)
		}
	}
	for _, name := range []string{"refused", "all"} {
		if on, _ := flags.GetBool(name); on {
			query.Set(name, "true")
		}
	}
	if since, _ := flags.GetDuration("since"); since > 0 {
		query.Set("from", time.Now().Add(-since).UTC().Format(time.RFC3339))
	}
	limit, _ := flags.GetInt("limit")
	list := []api.DeedView{}
	for len(list) < limit {
		query.Set("limit", strconv.Itoa(min(limit-len(list), 1000)))
		var page struct {
			Deeds  []api.DeedView `json:"deeds"`
			Before int64          `json:"before"`
		}
		if err := s.get("/audit", query, &page); err != nil {
			return nil, err
		}
		list = append(list, page.Deeds...)
		if page.Before == 0 {
			break
		}
		query.Set("before", strconv.FormatInt(page.Before, 10))
	}
	return list, nil
}
