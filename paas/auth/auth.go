// Package auth knows who asks: tenants, users, sessions and tokens in Postgres.
package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/config"
	"kurama/paas"
)

// Identity is who asks; it is declared with the platform's words, so that the
// console and the dashboard share it.
type Identity = paas.Identity

// Auth signs people in and recognises them. Its methods return errors that
// wrap paas.ErrDenied, paas.ErrNotFound, paas.ErrExists or paas.ErrConflict,
// or are a *paas.Invalid or *paas.Throttled; anything else is a fault of the
// database.
type Auth struct {
	cfg      config.Console
	pool     *pgxpool.Pool
	throttle *throttle
	proxies  []netip.Prefix
}

// New returns an Auth over a pool on a migrated database.
func New(cfg config.Console, pool *pgxpool.Pool) *Auth {
	proxies, _ := cfg.TrustedProxies() // checked with the configuration
	return &Auth{cfg: cfg, pool: pool, throttle: newThrottle(cfg.SignInRate), proxies: proxies}
}

// address is where r comes from.
func (a *Auth) address(r *http.Request) netip.Addr {
	return paas.ClientAddress(r.RemoteAddr, strings.Join(r.Header.Values("X-Forwarded-For"), ","), a.proxies)
}

// secret returns 256 random bits as text.
func secret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: the program ends instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// digest is how secrets of high entropy are stored: a slow hash would add
// nothing but delay to each request.
func digest(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// meaning turns an error of the database about what into the platform's words.
func meaning(err error, what string) error {
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrNoRows):
		return fmt.Errorf("%s: %w", what, paas.ErrNotFound)
	case errors.As(err, &pg) && pg.Code == "23505": // unique violation
		return fmt.Errorf("%s: %w", what, paas.ErrExists)
	case errors.As(err, &pg) && pg.Code == "23503": // foreign key violation
		return fmt.Errorf("%s: %w", what, paas.ErrNotFound)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// touched returns pgx.ErrNoRows when a statement changed no row.
func touched(tag pgconn.CommandTag, err error) error {
	if err == nil && tag.RowsAffected() == 0 {
		return pgx.ErrNoRows
	}
	return err
}
