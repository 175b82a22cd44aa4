package main

import (
	"net/url"

	"github.com/spf13/cobra"

	"kurama/paas"
)

func usersCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "users", Short: "Make and remove the users of a tenant",
		Example: "  kurama users invite ann@example.org --role developer\n  kurama users add bob --role viewer\n  kurama users role bob developer\n  kurama users list\n  kurama users rm ann"}
	cmd.AddCommand(usersAddCommand(), usersInviteCommand(), usersInvitationsCommand(), usersUninviteCommand(), usersRoleCommand(),
		asks(&cobra.Command{Use: "list", Short: "List users", Example: "  kurama users list", Args: cobra.NoArgs},
			func(s *session, _ []string) error {
				var list struct {
					Users []paas.User `json:"users"`
				}
				if err := s.get("/users", nil, &list); err != nil {
					return err
				}
				return s.print(list, func() {
					rows := make([][]string, len(list.Users))
					for i, u := range list.Users {
						rows[i] = []string{u.Name, string(u.Role), u.Tenant, ago(u.CreatedAt)}
					}
					s.table("USER ROLE TENANT CREATED", rows)
				})
			}),
		asks(&cobra.Command{Use: "rm NAME", Short: "Remove a user with their sessions and tokens", Example: "  kurama users rm ann", Args: cobra.ExactArgs(1)},
			func(s *session, args []string) error {
				if err := s.send("DELETE", "/users/"+url.PathEscape(args[0]), nil, nil); err != nil {
					return err
				}
				return s.print(map[string]string{"deleted": args[0]}, func() { s.done("user %s removed", args[0]) })
			}))
	return cmd
}

func usersAddCommand() *cobra.Command {
	var role string
	cmd := &cobra.Command{Use: "add NAME", Short: "Make a user; the password is asked for, or read from the standard input",
		Example: "  kurama users add ann --role developer\n  pwgen 16 1 | kurama users add bob --role viewer", Args: cobra.ExactArgs(1)}
	cmd.Flags().StringVar(&role, "role", "developer", "owner, developer or viewer")
	return asks(cmd, func(s *session, args []string) error {
		password, err := s.ask("Password for "+args[0]+": ", true)
		if err != nil {
			return err
		}
		var u paas.User
		if err := s.send("POST", "/users", map[string]string{"name": args[0], "role": role, "password": password}, &u); err != nil {
			return err
		}
		return s.print(u, func() { s.done("user %s, %s of tenant %s", u.Name, u.Role, u.Tenant) })
	})
}
