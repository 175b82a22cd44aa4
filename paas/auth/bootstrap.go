package auth

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// The first administrator and the files that say how to sign in as them.
const (
	AdminName    = "admin"
	passwordFile = "admin.password"
	tokenFile    = "admin.token"
)

// bootstrapLock keeps two starting processes from making two administrators.
const bootstrapLock = 0x6b7572616d61

// Bootstrap makes sure that somebody can sign in. On the first start it makes
// the tenant default and the operator admin, whose name and password it writes
// to dataDir/admin.password; created reports that. On any start it leaves a
// valid operator's token in dataDir/admin.token: the one that is there, or,
// when it is missing or was taken back, a new one. Both files have mode 0600.
func (a *Auth) Bootstrap(ctx context.Context, dataDir string) (created bool, err error) {
	err = pgx.BeginFunc(ctx, a.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(bootstrapLock)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO tenants (name) VALUES ($1) ON CONFLICT DO NOTHING`, paas.DefaultTenant); err != nil {
			return err
		}
		if created, err = a.firstUser(ctx, tx, dataDir); err != nil {
			return err
		}
		return a.adminToken(ctx, tx, dataDir)
	})
	if err != nil {
		return false, fmt.Errorf("making the first administrator: %w", err)
	}
	return created, nil
}

func (a *Auth) firstUser(ctx context.Context, tx pgx.Tx, dataDir string) (created bool, err error) {
	var users int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM users`).Scan(&users); err != nil || users > 0 {
		return false, err
	}
	password := readablePassword()
	hash, err := hashPassword(ctx, password)
	if err != nil {
		return false, err
	}
	admin := paas.User{Name: AdminName, Tenant: paas.DefaultTenant, Role: paas.RoleOperator}
	if _, err := insertUser(ctx, tx, admin, hash); err != nil {
		return false, err
	}
	// Before the commit: a file without its user is overwritten by the next
	// start, a user without the file would lock everybody out.
	text := fmt.Sprintf("name: %s\npassword: %s\n", AdminName, password)
	return true, writeSecret(filepath.Join(dataDir, passwordFile), text)
}

func (a *Auth) adminToken(ctx context.Context, tx pgx.Tx, dataDir string) error {
	path := filepath.Join(dataDir, tokenFile)
	if old, err := os.ReadFile(path); err == nil {
		var n int
		err := tx.QueryRow(ctx, `SELECT count(*) FROM tokens WHERE hash = $1`, digest(strings.TrimSpace(string(old)))).Scan(&n)
		if err != nil || n > 0 {
			return err
		}
	}
	if _, err := tx.Exec(ctx, `DELETE FROM tokens WHERE name = $1 AND created_by = $2 AND tenant = $3`,
		tokenFile, AdminName, paas.DefaultTenant); err != nil {
		return err
	}
	_, token, err := insertToken(ctx, tx, paas.Token{Tenant: paas.DefaultTenant, Name: tokenFile,
		Role: paas.RoleOperator, CreatedBy: AdminName})
	if err != nil {
		return err
	}
	return writeSecret(path, token+"\n")
}

// writeSecret replaces the file at path, readable by its owner alone, at once
// or not at all.
func writeSecret(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // after the rename there is none
	if _, err = f.WriteString(text); err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}

// ReadAdmin returns name and password of the first administrator as Bootstrap
// wrote them; they may have been changed since.
func ReadAdmin(dataDir string) (name, password string, err error) {
	text, err := os.ReadFile(filepath.Join(dataDir, passwordFile))
	if err != nil {
		return "", "", fmt.Errorf("reading the first administrator: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "name":
			name = value
		case "password":
			password = value
		}
	}
	return name, password, nil
}
