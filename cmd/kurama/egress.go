package main

import (
	"strings"

	"github.com/spf13/cobra"

	"kurama/paas"
	"kurama/paas/api"
)

func egressCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "egress [open|listed|none] [DESTINATION]...", Short: "Show what a tenant's apps may reach; operators change it",
		Long: "open: the internet, and what is listed beside; listed: nothing but what is listed; none: nothing.\n" +
			"A destination is a name, an IPv4 address or a range, and ports after a colon. Names are looked up every 30 seconds:\n" +
			"where one has other addresses each time, list its owner's range instead. Connections that are open stay open.",
		Example: `  kurama egress
  kurama egress --tenant acme listed pypi.org:443 203.0.113.0/24:5432
  kurama egress --tenant acme none
  kurama egress --tenant acme --default`, Args: cobra.ArbitraryArgs}
	cmd.Flags().Bool("default", false, "let the installation's default apply again")
	return asks(cmd, func(s *session, args []string) error {
		var view api.EgressView
		reset, err := s.cmd.Flags().GetBool("default")
		switch {
		case err == nil && reset:
			if err = s.send("DELETE", "/egress", nil, nil); err == nil {
				err = s.get("/egress", nil, &view)
			}
		case err == nil && len(args) > 0:
			err = s.send("PUT", "/egress", paas.Egress{Mode: args[0], Allow: args[1:]}, &view)
		case err == nil:
			err = s.get("/egress", nil, &view)
		}
		if err != nil {
			return err
		}
		return s.print(view, func() { s.showEgress(view) })
	})
}

func (s *session) showEgress(v api.EgressView) {
	whose := "for every tenant"
	if v.Own {
		whose = "for this tenant"
	}
	s.table("APPS-MAY-REACH SET", [][]string{{v.Mode, whose}})
	rows := make([][]string, len(v.Allow))
	for i, to := range v.Allow {
		name, _, _ := strings.Cut(strings.ToLower(to), ":")
		rows[i] = []string{to, "", ""}
		for _, n := range v.Names {
			if n.Name == name {
				rows[i] = []string{to, strings.Join(n.Addresses, " "), n.Says}
			}
		}
	}
	if len(rows) > 0 {
		s.table("LISTED ADDRESSES -", rows)
	}
}
