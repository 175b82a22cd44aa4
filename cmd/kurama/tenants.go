package main

import (
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"kurama/paas"
)

func tenantsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "tenants", Short: "Make and remove tenants (operators only)",
		Example: "  kurama tenants add acme\n  kurama tenants list\n  kurama tenants rm acme"}
	cmd.AddCommand(
		asks(&cobra.Command{Use: "add NAME", Short: "Make a tenant", Example: "  kurama tenants add acme", Args: cobra.ExactArgs(1)},
			func(s *session, args []string) error {
				var t paas.Tenant
				if err := s.send("POST", "/tenants", map[string]string{"name": args[0]}, &t); err != nil {
					return err
				}
				return s.print(t, func() {
					s.done("tenant %s. Give it its first user with `kurama users add NAME --role owner --tenant %s`", t.Name, t.Name)
				})
			}),
		asks(&cobra.Command{Use: "list", Short: "List tenants", Example: "  kurama tenants list", Args: cobra.NoArgs},
			func(s *session, _ []string) error {
				var list struct {
					Tenants []paas.Tenant `json:"tenants"`
				}
				if err := s.get("/tenants", nil, &list); err != nil {
					return err
				}
				return s.print(list, func() {
					rows := make([][]string, len(list.Tenants))
					for i, t := range list.Tenants {
						rows[i] = []string{t.Name, strconv.Itoa(t.Apps), ago(t.CreatedAt)}
					}
					s.table("TENANT APPS CREATED", rows)
				})
			}),
		asks(&cobra.Command{Use: "rm NAME", Short: "Remove a tenant that has no apps", Example: "  kurama tenants rm acme", Args: cobra.ExactArgs(1)},
			func(s *session, args []string) error {
				if err := s.send("DELETE", "/tenants/"+url.PathEscape(args[0]), nil, nil); err != nil {
					return err
				}
				return s.print(map[string]string{"deleted": args[0]}, func() { s.done("tenant %s removed", args[0]) })
			}))
	return cmd
}
