package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"kurama/internal/client"
	"kurama/paas"
	"kurama/paas/api"
)

// remote is what git calls the platform.
const remote = "kurama"

func gitCommand() *cobra.Command {
	var add bool
	cmd := &cobra.Command{Use: "git APP", Short: "Show where an app is pushed to with git",
		Long: `Shows the address that deploys an app when its branch main or master is pushed there; the app need not exist. git asks for a
user, who may be any, and for a password: a token that may deploy. With --add the repository in this folder gets the address as
remote "kurama", and its git asks this command for the token of your last kurama login.`,
		Example: `  kurama git shop --add && git push kurama main
  git remote add kurama $(kurama git shop)
  kurama tokens add ci --scopes deploy --app shop     a password for CI`, Args: cobra.ExactArgs(1)}
	cmd.Flags().BoolVar(&add, "add", false, "give the repository in this folder the remote kurama")
	return asks(cmd, func(s *session, args []string) error {
		if err := paas.CheckName("an app", args[0]); err != nil {
			return err
		}
		var who api.Session
		if err := s.get("/session", nil, &who); err != nil {
			return err
		}
		address := s.URL + "/git/" + url.PathEscape(cmp.Or(s.Tenant, who.Tenant)) + "/" + args[0]
		if add {
			if err := s.addRemote(address); err != nil {
				return err
			}
		}
		return s.print(map[string]string{"app": args[0], "remote": address}, func() {
			_, _ = fmt.Fprintln(s.out, address)
			if add {
				s.say("Push with: git push %s main", remote)
			}
		})
	})
}

// addRemote makes address the remote of the repository in this folder, with this
// program as what knows its password.
func (s *session) addRemote(address string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	helper := "!'" + strings.ReplaceAll(self, "'", `'\''`) + "' git-credential"
	if _, err := s.git("remote", "get-url", remote); err == nil {
		_, err = s.git("remote", "set-url", remote, address)
		return errors.Join(err, s.setHelper(helper))
	}
	if _, err := s.git("remote", "add", remote, address); err != nil {
		return err
	}
	return s.setHelper(helper)
}

func (s *session) setHelper(helper string) error {
	_, err := s.git("config", "--local", "credential."+s.URL+".helper", helper)
	return err
}

// git runs git in this folder.
func (s *session) git(args ...string) (string, error) {
	cmd := exec.CommandContext(s.cmd.Context(), "git", args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(said.Bytes()))
	}
	return string(out), nil
}

// gitCredentialCommand answers git when it looks for a password
// (gitcredentials(7)); where there is none, git asks for it.
func gitCredentialCommand() *cobra.Command {
	return &cobra.Command{Use: "git-credential OPERATION", Short: "Tell git the token of the last sign-in", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] != "get" {
				return nil // git has something to keep, which is kept already
			}
			asked := map[string]string{}
			for {
				line, err := readLine(cmd.InOrStdin())
				if key, value, ok := strings.Cut(line, "="); ok {
					asked[key] = value
				}
				if err != nil || line == "" {
					break
				}
			}
			file, err := client.CredentialsFile()
			if err != nil {
				return err
			}
			address := asked["protocol"] + "://" + asked["host"]
			_, token, err := client.Find(func(name string) string {
				if name == "KURAMA_URL" {
					return address
				}
				return ""
			}, file, dataDir(cmd), "/var/lib/kurama")
			if err == nil && token != "" {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "username=%s\npassword=%s\n", remote, token)
			}
			return err
		}}
}
