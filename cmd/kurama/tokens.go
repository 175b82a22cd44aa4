package main

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurama/paas"
)

func tokensCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "tokens", Short: "Make and take back tokens for scripts",
		Example: "  kurama tokens add ci --scopes deploy --app hello --expires 2160h\n  kurama tokens list\n  kurama tokens rm ID"}
	cmd.AddCommand(tokensAddCommand(),
		asks(&cobra.Command{Use: "list", Short: "List tokens", Example: "  kurama tokens list", Args: cobra.NoArgs},
			func(s *session, _ []string) error {
				var list struct {
					Tokens []paas.Token `json:"tokens"`
				}
				if err := s.get("/tokens", nil, &list); err != nil {
					return err
				}
				return s.print(list, func() {
					rows := make([][]string, len(list.Tokens))
					for i, t := range list.Tokens {
						rows[i] = []string{t.ID, t.Name, string(t.Role), purpose(t), t.CreatedBy, ago(t.CreatedAt), when(t.UsedAt, "never"), when(t.ExpiresAt, "no")}
					}
					s.table("ID NAME ROLE FOR BY CREATED USED EXPIRES", rows)
				})
			}),
		asks(&cobra.Command{Use: "rm ID", Short: "Take a token back", Example: "  kurama tokens rm 0193…", Args: cobra.ExactArgs(1)},
			func(s *session, args []string) error {
				if err := s.send("DELETE", "/tokens/"+url.PathEscape(args[0]), nil, nil); err != nil {
					return err
				}
				return s.print(map[string]string{"deleted": args[0]}, func() { s.done("token %s is taken back", args[0]) })
			}))
	return cmd
}

// purpose says what a token is bound to.
func purpose(t paas.Token) string {
	var parts []string
	for _, s := range t.Scopes {
		parts = append(parts, string(s))
	}
	text := cmp.Or(strings.Join(parts, ","), "all")
	if t.App != "" {
		text += " of " + t.App
	}
	return text
}

func when(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	if t.After(time.Now()) {
		return t.Local().Format("2006-01-02 15:04")
	}
	return ago(*t)
}

func tokensAddCommand() *cobra.Command {
	var role, app string
	var scopes []string
	var age time.Duration
	cmd := &cobra.Command{Use: "add NAME", Short: "Make a token; the last line is the token itself, shown this once",
		Example: "  kurama tokens add ci --scopes deploy --app hello --expires 2160h\n  kurama tokens add laptop --role developer", Args: cobra.ExactArgs(1)}
	cmd.Flags().StringVar(&role, "role", "", "owner, developer or viewer (default your own, but no more than developer)")
	cmd.Flags().DurationVar(&age, "expires", 0, "how long it is valid (default for ever)")
	cmd.Flags().StringSliceVar(&scopes, "scopes", nil, "what it may do, of read, deploy, env and run (default all that the role may)")
	cmd.Flags().StringVar(&app, "app", "", "the one app it is for (default each)")
	return asks(cmd, func(s *session, args []string) error {
		in := map[string]any{"name": args[0], "app": app, "scopes": scopes}
		if role != "" {
			in["role"] = role
		}
		if age > 0 {
			in["expires_in"] = int64(age.Seconds())
		}
		var made struct {
			paas.Token
			Secret string `json:"token"`
		}
		if err := s.send("POST", "/tokens", in, &made); err != nil {
			return err
		}
		return s.print(made, func() {
			s.done("token %s for %s, as %s. Keep it now: it is not shown again", made.Name, made.Tenant, made.Role)
			_, _ = fmt.Fprintln(s.out, made.Secret)
		})
	})
}
