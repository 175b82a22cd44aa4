package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// sealed begins a value that is encrypted: sealed, the key's id, a colon, and
// nonce and AES-256-GCM ciphertext in base64. The tenant, the app and the
// variable's name are authenticated with it, so that a value cannot be moved to
// another place in the database. A value without the mark was stored before
// there were keys.
const sealed = "\u2063kurama1:" // an invisible separator: no person types it

// Keys encrypt the settings of apps at rest. The zero value does not encrypt.
type Keys struct {
	newest string
	byID   map[string]cipher.AEAD
}

// ParseKeys reads the key file: lines of an id and 64 hex digits, the newest
// first. Its errors tell the line and never the key.
func ParseKeys(text string) (Keys, error) {
	k := Keys{byID: map[string]cipher.AEAD{}}
	n := 0
	for line := range strings.Lines(text) {
		n++
		id, digits, ok := strings.Cut(strings.TrimSpace(line), " ")
		if id == "" {
			continue
		}
		raw, err := hex.DecodeString(strings.TrimSpace(digits))
		if !ok || err != nil || len(raw) != 32 || k.byID[id] != nil || strings.Contains(id, ":") {
			return Keys{}, fmt.Errorf("line %d is no key: an id of its own and 64 hex digits are expected", n)
		}
		block, err := aes.NewCipher(raw)
		if err != nil {
			return Keys{}, err
		}
		if k.byID[id], err = cipher.NewGCM(block); err != nil {
			return Keys{}, err
		}
		if k.newest == "" {
			k.newest = id
		}
	}
	if k.newest == "" {
		return Keys{}, errors.New("it holds no key")
	}
	return k, nil
}

// NewKey returns a line of the key file.
func NewKey() string {
	raw := make([]byte, 36)
	_, _ = rand.Read(raw) // never fails
	return hex.EncodeToString(raw[:4]) + " " + hex.EncodeToString(raw[4:])
}

// Sealing returns the store with the settings of apps encrypted at rest.
func (s *Store) Sealing(keys Keys) *Store {
	with := *s
	with.keys = keys
	return &with
}

func place(tenant, app, name string) []byte { return []byte(tenant + "/" + app + "/" + name) }

// seal encrypts the values of an app's settings.
func (k Keys) seal(tenant, app string, vars map[string]string) map[string]string {
	if k.newest == "" {
		return settings(vars)
	}
	key, out := k.byID[k.newest], make(map[string]string, len(vars))
	for name, value := range vars {
		nonce := make([]byte, key.NonceSize())
		_, _ = rand.Read(nonce)
		out[name] = sealed + k.newest + ":" + base64.StdEncoding.EncodeToString(key.Seal(nonce, nonce, []byte(value), place(tenant, app, name)))
	}
	return out
}

// open decrypts the values of an app's settings, in place.
func (k Keys) open(tenant, app string, vars map[string]string) error {
	for name, value := range vars {
		rest, ok := strings.CutPrefix(value, sealed)
		if !ok {
			continue
		}
		id, text, _ := strings.Cut(rest, ":")
		key := k.byID[id]
		if key == nil {
			return fmt.Errorf("the value of %s is encrypted with the key %s, which is not in the key file", name, id)
		}
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(raw) < key.NonceSize() {
			return fmt.Errorf("the value of %s is damaged", name)
		}
		plain, err := key.Open(nil, raw[:key.NonceSize()], raw[key.NonceSize():], place(tenant, app, name))
		if err != nil {
			return fmt.Errorf("the value of %s cannot be decrypted: it was changed, or belongs to another app", name)
		}
		vars[name] = string(plain)
	}
	return nil
}

// Reseal encrypts with the newest key what is stored in the clear or under an
// older one, and returns how many settings it changed.
func (s *Store) Reseal(ctx context.Context) (int, error) {
	type row struct {
		tenant, app string
		number      int
		vars        map[string]string
	}
	changed := 0
	current := sealed + s.keys.newest + ":"
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		for _, table := range []struct{ read, write string }{
			{`SELECT tenant, app, 0, jsonb_object_agg(key, value) FROM app_env GROUP BY tenant, app`,
				`UPDATE app_env SET value = $4::jsonb ->> key WHERE tenant = $1 AND app = $2 AND $3 = 0`},
			{`SELECT tenant, app, number, env FROM releases WHERE env <> '{}' FOR UPDATE`,
				`UPDATE releases SET env = $4 WHERE tenant = $1 AND app = $2 AND number = $3`},
			{`SELECT tenant, app, 0, jsonb_build_object('` + databasePassword + `', password) FROM databases FOR UPDATE`,
				`UPDATE databases SET password = $4::jsonb ->> '` + databasePassword + `' WHERE tenant = $1 AND app = $2 AND $3 = 0`},
		} {
			rows, err := all(ctx, tx, func(from pgx.CollectableRow) (r row, err error) {
				return r, from.Scan(&r.tenant, &r.app, &r.number, &r.vars)
			}, table.read)
			if err != nil {
				return err
			}
			for _, r := range rows {
				if !stale(r.vars, current) {
					continue
				}
				if err := s.keys.open(r.tenant, r.app, r.vars); err != nil {
					return fmt.Errorf("settings of %s: %w", appName(r.tenant, r.app), err)
				}
				if _, err := tx.Exec(ctx, table.write, r.tenant, r.app, r.number, s.keys.seal(r.tenant, r.app, r.vars)); err != nil {
					return err
				}
				changed += len(r.vars)
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("encrypting settings anew: %w", err)
	}
	return changed, nil
}

func stale(vars map[string]string, current string) bool {
	for _, value := range vars {
		if !strings.HasPrefix(value, current) {
			return true
		}
	}
	return false
}
