package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user that the server runs as: PostgreSQL refuses to be root.
type account struct {
	name     string
	uid, gid uint32
	drop     bool // this process is root and hands the server to another user
}

// findAccount picks the current user, or, for root, the postgres user that the
// package installed, or nobody.
func findAccount() (account, error) {
	if os.Geteuid() != 0 {
		u, err := user.Current()
		if err != nil {
			return account{}, fmt.Errorf("finding the current user: %w", err)
		}
		return account{name: u.Username}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return account{}, fmt.Errorf("reading the ids of user %s: %w", name, err)
		}
		return account{name: name, uid: uint32(uid), gid: uint32(gid), drop: true}, nil
	}
	return account{}, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as")
}

// CheckAccount returns a sentence where the private server has nobody to run as.
func CheckAccount() error {
	_, err := findAccount()
	return err
}

// credential makes a child process run as the account.
func (a account) credential() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGINT}
	if a.drop {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attr
}

// own makes dir with mode and gives it to the account.
func (a account) own(dir string, mode os.FileMode) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making %s: %w", dir, err)
	}
	if err := os.Chmod(dir, mode); err != nil {
		return fmt.Errorf("setting the mode of %s: %w", dir, err)
	}
	if !a.drop {
		return nil
	}
	if err := os.Chown(dir, int(a.uid), int(a.gid)); err != nil {
		return fmt.Errorf("giving %s to user %s: %w", dir, a.name, err)
	}
	return nil
}

// reachable returns dir itself when the account can enter every folder above
// it. Otherwise (a checkout under /root) it returns a folder of its own under
// /var/lib/kurama and leaves a link to it at dir.
func (a account) reachable(dir string) (string, error) {
	if target, err := os.Readlink(dir); err == nil {
		return target, nil
	}
	if !a.drop || openToOthers(filepath.Dir(dir)) {
		return dir, nil
	}
	sum := sha256.Sum256([]byte(dir))
	target := filepath.Join("/var/lib/kurama", hex.EncodeToString(sum[:6]), filepath.Base(dir))
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", fmt.Errorf("making the folder of %s: %w", dir, err)
	}
	if err := os.Symlink(target, dir); err != nil {
		return "", fmt.Errorf("linking %s to %s: %w", dir, target, err)
	}
	return target, nil
}

// openToOthers says whether everybody may enter dir and all folders above it.
func openToOthers(dir string) bool {
	for {
		info, err := os.Stat(dir)
		if err == nil && info.Mode().Perm()&0o001 == 0 {
			return false
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return true
		}
		dir = parent
	}
}
