package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurama/internal/client"
	"kurama/paas"
)

func usersInviteCommand() *cobra.Command {
	var role string
	var age time.Duration
	cmd := &cobra.Command{Use: "invite [EMAIL]", Short: "Invite somebody to the tenant; the last line is the link, shown this once",
		Long: "Makes a link with which somebody chooses a name and a password of their own. With an address the link is also sent there.",
		Example: `  kurama users invite ann@example.org --role developer
  kurama users invite --role viewer        hand the link over yourself`, Args: cobra.MaximumNArgs(1)}
	cmd.Flags().StringVar(&role, "role", "developer", "owner, developer or viewer")
	cmd.Flags().DurationVar(&age, "expires", 0, "how long it can be accepted (default console.invite_age)")
	return asks(cmd, func(s *session, args []string) error {
		in := map[string]any{"role": role, "email": strings.Join(args, "")}
		if age > 0 {
			in["expires_in"] = int64(age.Seconds())
		}
		var made struct {
			paas.Invitation
			Link string `json:"link"`
		}
		if err := s.send("POST", "/invitations", in, &made); err != nil {
			return err
		}
		return s.print(made, func() {
			sent := "hand the link over"
			if made.Email != "" {
				sent = "a mail is on its way to " + made.Email
			}
			s.done("invited to %s as %s until %s; %s", made.Tenant, made.Role, made.ExpiresAt.Local().Format("2006-01-02 15:04"), sent)
			_, _ = fmt.Fprintln(s.out, made.Link)
		})
	})
}

func usersInvitationsCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "invitations", Short: "List invitations, newest first", Example: "  kurama users invitations", Args: cobra.NoArgs},
		func(s *session, _ []string) error {
			var list struct {
				Invitations []paas.Invitation `json:"invitations"`
			}
			if err := s.get("/invitations", nil, &list); err != nil {
				return err
			}
			return s.print(list, func() {
				rows := make([][]string, len(list.Invitations))
				for i, v := range list.Invitations {
					rows[i] = []string{v.ID, v.Email, string(v.Role), v.CreatedBy, ago(v.CreatedAt), invitationState(v)}
				}
				s.table("ID E-MAIL ROLE BY CREATED STATE", rows)
			})
		})
}

func invitationState(i paas.Invitation) string {
	switch {
	case i.AcceptedAt != nil:
		return "accepted by " + i.AcceptedBy
	case i.ExpiresAt.Before(time.Now()):
		return "expired"
	}
	return "open until " + i.ExpiresAt.Local().Format("2006-01-02 15:04")
}

func usersUninviteCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "uninvite ID", Short: "Take an invitation back", Example: "  kurama users uninvite 0193…", Args: cobra.ExactArgs(1)},
		func(s *session, args []string) error {
			if err := s.send("DELETE", "/invitations/"+url.PathEscape(args[0]), nil, nil); err != nil {
				return err
			}
			return s.print(map[string]string{"deleted": args[0]}, func() { s.done("invitation %s is taken back", args[0]) })
		})
}

func usersRoleCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "role NAME ROLE", Short: "Give a user another role", Example: "  kurama users role ann owner", Args: cobra.ExactArgs(2)},
		func(s *session, args []string) error {
			var u paas.User
			if err := s.send("PUT", "/users/"+url.PathEscape(args[0]), map[string]string{"role": args[1]}, &u); err != nil {
				return err
			}
			return s.print(u, func() { s.done("user %s is %s of tenant %s", u.Name, u.Role, u.Tenant) })
		})
}

func joinCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{Use: "join LINK", Short: "Accept an invitation: choose a name and a password, and sign in",
		Example: "  kurama join 'https://kurama.example.org/#/join/…' --name ann", Args: cobra.ExactArgs(1)}
	cmd.Flags().StringVar(&name, "name", "", "name to choose (asked for otherwise)")
	return asks(cmd, func(s *session, args []string) (err error) {
		address, secret, ok := strings.Cut(args[0], "/#/join/")
		if !ok {
			return fmt.Errorf("%q is not the link of an invitation: it has /#/join/ in it", args[0])
		}
		if s.Client, err = client.New(address, "", ""); err != nil {
			return err
		}
		if name == "" {
			if name, err = s.ask("Name to choose: ", false); err != nil {
				return err
			}
		}
		password, err := s.ask("Password to choose: ", true)
		if err != nil {
			return err
		}
		who, header, err := s.begin("/invitation/accept", map[string]string{"secret": secret, "name": name, "password": password})
		if err != nil {
			return err
		}
		token, err := s.ownToken(who, header)
		if err != nil {
			return err
		}
		return s.remember(token)
	})
}

func passwordCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{Use: "password", Short: "Change your own password; ends your other sessions",
		Example: "  kurama password --name ann", Args: cobra.NoArgs}
	cmd.Flags().StringVar(&name, "name", "", "name to sign in with (asked for otherwise)")
	return asks(cmd, func(s *session, _ []string) (err error) {
		if name == "" {
			if name, err = s.ask("Name: ", false); err != nil {
				return err
			}
		}
		before, err := s.ask("Old password: ", true)
		if err != nil {
			return err
		}
		after, err := s.ask("New password: ", true)
		if err != nil {
			return err
		}
		_, header, err := s.begin("/session", map[string]string{"name": name, "password": before})
		if err != nil {
			return err
		}
		defer s.end(header)
		body, _ := json.Marshal(map[string]string{"old": before, "new": after}) // strings can be written
		resp, err := s.Do(s.cmd.Context(), "PUT", "/session/password", nil, bytes.NewReader(body), header)
		if err != nil {
			return err
		}
		_ = resp.Body.Close()
		return s.print(map[string]string{"user": name}, func() { s.done("the password of %s is changed", name) })
	})
}
