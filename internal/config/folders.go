package config

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// runPathMax bounds the run folder's path: a Unix socket's whole path may have
// 107 bytes, and the sockets of replicas lie up to 72 below it.
const runPathMax = 34

// Folders are the places of one installation, absolute.
type Folders struct {
	Data string
	Run  string
}

// Folders resolves the data folder and the folder of sockets. It makes nothing.
func (c *Config) Folders() (Folders, error) {
	data, err := filepath.Abs(c.Data)
	if err != nil {
		return Folders{}, fmt.Errorf("resolving the data folder %s: %w", c.Data, err)
	}
	if c.RunDir != "" {
		run, err := filepath.Abs(c.RunDir)
		if err != nil {
			return Folders{}, fmt.Errorf("resolving the run folder %s: %w", c.RunDir, err)
		}
		return Folders{Data: data, Run: run}, nil
	}
	run := filepath.Join(data, "run")
	if len(run) > runPathMax {
		sum := sha256.Sum256([]byte(data))
		run = filepath.Join(shortBase(), "kurama-"+hex.EncodeToString(sum[:5]))
	}
	return Folders{Data: data, Run: run}, nil
}

// shortBase is a short folder for sockets: /run for root, else /tmp.
func shortBase() string {
	if os.Geteuid() == 0 {
		return "/run"
	}
	return os.TempDir()
}

// Make creates the folders that every role counts on.
func (f Folders) Make() error {
	for _, dir := range []string{f.Data, f.Run, f.Sub("spool"), f.Sub("archive"), f.Sub("releases"), f.Sub("layers"),
		f.Sub("outbox"), f.Sub("router"), f.Sub("uploads"), filepath.Join(f.Run, "replicas"), filepath.Join(f.Run, "roles")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("making the folder %s: %w", dir, err)
		}
	}
	return nil
}

// Sub returns the path of name in the data folder.
func (f Folders) Sub(name string) string { return filepath.Join(f.Data, name) }

// Socket returns the path of the socket name in the run folder.
func (f Folders) Socket(name string) string { return filepath.Join(f.Run, name) }

// Instance returns the name of this installation, eight lower-case letters
// and digits; the first call makes it.
func (f Folders) Instance() (string, error) {
	return f.keep("instance.id", func() string { return randomHex(4) })
}

// StreamToken returns the secret that the roles show to the embedded stream;
// the first call makes it.
func (f Folders) StreamToken() (string, error) {
	return f.keep("stream.token", func() string { return randomHex(24) })
}

// SecretKeys returns the content of the file of keys that settings are
// encrypted with; the first call makes it with one line of create.
func (f Folders) SecretKeys(create func() string) (string, error) {
	return f.keep(SecretKeysFile, create)
}

// SecretKeysFile is its name in the data folder.
const SecretKeysFile = "secrets.key"

// keep returns the content of the file name, made once with mode 0600. Two
// processes that make it at once agree: only one link succeeds.
func (f Folders) keep(name string, make func() string) (string, error) {
	path := f.Sub(name)
	text, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	tmp, err := os.CreateTemp(f.Data, name+".*")
	if err != nil {
		return "", fmt.Errorf("making %s: %w", path, err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.WriteString(make() + "\n")
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return "", fmt.Errorf("writing %s: %w", path, err)
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("keeping %s: %w", path, err)
	}
	text, err = os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	return strings.TrimSpace(string(text)), nil
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}
