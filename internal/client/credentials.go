package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// DefaultURL is where an installation on this machine answers.
const DefaultURL = "http://localhost:5001"

// Credentials are the tokens that sign-ins have left, by address: a token is
// sent to the installation that it came from, and to no other.
type Credentials struct {
	Current string            `json:"current"` // the address of the last sign-in
	Tokens  map[string]string `json:"tokens"`
}

// CredentialsFile returns where credentials are kept.
func CredentialsFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("finding the folder of credentials: %w", err)
	}
	return filepath.Join(dir, "kurama", "credentials"), nil
}

// LoadCredentials reads the file, which need not exist.
func LoadCredentials(file string) (Credentials, error) {
	c := Credentials{Tokens: map[string]string{}}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("reading credentials: %w", err)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("%s cannot be read: %w. Remove it and run `kurama login`", file, err)
	}
	if c.Tokens == nil {
		c.Tokens = map[string]string{}
	}
	return c, nil
}

// Save replaces the file, readable by its owner alone, at once or not at all.
func (c Credentials) Save(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("saving credentials: %w", err)
	}
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("saving credentials: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".credentials-*") // mode 0600
	if err != nil {
		return fmt.Errorf("saving credentials: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // after the rename there is none
	_, err = f.Write(append(text, '\n'))
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("saving credentials: %w", err)
	}
	return os.Rename(f.Name(), file)
}

// Find returns address and token to use. The environment's KURAMA_URL and
// KURAMA_TOKEN come first, then the last sign-in, then an installation on this
// machine with the token that its first start has left in one of dataDirs.
func Find(getenv func(string) string, file string, dataDirs ...string) (address, token string, err error) {
	saved, err := LoadCredentials(file)
	if err != nil && getenv("KURAMA_TOKEN") == "" {
		return "", "", err
	}
	address = strings.TrimSuffix(getenv("KURAMA_URL"), "/")
	if address == "" {
		address = saved.Current
	}
	if address == "" {
		address = DefaultURL
	}
	if token = strings.TrimSpace(getenv("KURAMA_TOKEN")); token != "" {
		return address, token, nil
	}
	if token = saved.Tokens[address]; token != "" || !isLocal(address) {
		return address, token, nil
	}
	for _, dir := range dataDirs {
		if text, err := os.ReadFile(filepath.Join(dir, "admin.token")); err == nil {
			return address, strings.TrimSpace(string(text)), nil
		}
	}
	return address, "", nil
}

// isLocal keeps the administrator's token of this machine from going elsewhere.
func isLocal(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := u.Hostname()
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}
