package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"kurama/internal/client"
	"kurama/paas/api"
)

// tokenAge is how long a sign-in of the command line lasts.
const tokenAge = 90 * 24 * time.Hour

func loginCommand() *cobra.Command {
	var name, token string
	cmd := &cobra.Command{Use: "login [ADDRESS]", Short: "Sign in to an installation and remember it",
		Long: "Signs in with name and password, and keeps a token of its own for 90 days in the credentials file, readable by you alone.",
		Example: `  kurama login
  kurama login https://kurama.example.org --name ann
  kurama login --token kt_…`, Args: cobra.MaximumNArgs(1)}
	cmd.Flags().StringVar(&name, "name", "", "name to sign in with (asked for otherwise)")
	cmd.Flags().StringVar(&token, "token", "", "use this token, without name and password")
	return asks(cmd, func(s *session, args []string) error {
		if len(args) == 1 {
			c, err := client.New(args[0], "", "")
			if err != nil {
				return err
			}
			s.Client = c
		}
		if token == "" {
			var err error
			if token, err = s.signIn(name); err != nil {
				return err
			}
		}
		return s.remember(token)
	})
}

// signIn makes a token with name and password.
func (s *session) signIn(name string) (token string, err error) {
	if name == "" {
		if name, err = s.ask("Name: ", false); err != nil {
			return "", err
		}
	}
	password, err := s.ask("Password: ", true)
	if err != nil {
		return "", err
	}
	who, header, err := s.begin("/session", map[string]string{"name": name, "password": password})
	if err != nil {
		return "", err
	}
	return s.ownToken(who, header)
}

// begin posts in to a path that signs somebody in, and returns the headers
// that go on with their session.
func (s *session) begin(path string, in map[string]string) (who api.Session, header http.Header, err error) {
	s.Token = ""
	body, _ := json.Marshal(in) // strings can be written
	resp, err := s.Do(s.cmd.Context(), "POST", path, nil, bytes.NewReader(body), http.Header{"Content-Type": {"application/json"}})
	if err != nil {
		return who, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(&who); err != nil {
		return who, nil, fmt.Errorf("reading the answer of %s: %w", s.URL, err)
	}
	header = http.Header{"Content-Type": {"application/json"}, "X-CSRF-Token": {who.CSRF}}
	for _, c := range resp.Cookies() {
		header.Add("Cookie", c.Name+"="+c.Value)
	}
	return who, header, nil
}

// end ends the session that begin began.
func (s *session) end(header http.Header) {
	if resp, err := s.Do(s.cmd.Context(), "DELETE", "/session", nil, nil, header); err == nil {
		_ = resp.Body.Close()
	}
}

// ownToken makes a token in the session of a sign-in, and ends that.
func (s *session) ownToken(who api.Session, header http.Header) (string, error) {
	defer s.end(header)
	host, err := os.Hostname()
	if err != nil {
		host = "a machine without a name"
	}
	body, _ := json.Marshal(map[string]any{"name": "kurama login on " + host, "role": who.Role, "expires_in": int(tokenAge.Seconds())})
	resp, err := s.Do(s.cmd.Context(), "POST", "/tokens", nil, bytes.NewReader(body), header)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	var made struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil {
		return "", fmt.Errorf("reading the answer of %s: %w", s.URL, err)
	}
	return made.Token, nil
}

// remember keeps the token, once the installation has known it.
func (s *session) remember(token string) error {
	s.Token = token
	var who api.Session
	if err := s.get("/session", nil, &who); err != nil {
		return err
	}
	file, err := client.CredentialsFile()
	if err != nil {
		return err
	}
	saved, err := client.LoadCredentials(file)
	if err != nil {
		return err
	}
	saved.Current, saved.Tokens[s.URL] = s.URL, token
	if err := saved.Save(file); err != nil {
		return err
	}
	return s.print(map[string]string{"user": who.User, "tenant": who.Tenant, "role": string(who.Role), "url": s.URL, "file": file}, func() {
		s.done("signed in to %s as %s (%s of tenant %s)", s.URL, who.User, who.Role, who.Tenant)
	})
}
