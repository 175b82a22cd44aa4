package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// CookieName is the name of the session cookie. It is for the host, so the
// console and the dashboard share it.
const CookieName = "kurama_session"

// errSignIn is the same for a wrong name and a wrong password.
var errSignIn = fmt.Errorf("Name or password is wrong: %w", paas.ErrDenied)

// SignIn checks name and password, starts a session and sets its cookie. It
// returns paas.ErrDenied for a wrong name or password alike, in the same time,
// and *paas.Throttled after too many failures.
func (a *Auth) SignIn(w http.ResponseWriter, r *http.Request, name, password string) (Identity, error) {
	ctx := r.Context()
	attempt, err := a.throttle.begin(ctx, a.address(r), name)
	if err != nil {
		return Identity{}, err
	}
	hash, id, found := nobody, Identity{User: name, ViaCookie: true}, true
	err = a.pool.QueryRow(ctx, `SELECT name, tenant, role, password_hash FROM users WHERE name = $1`, clean(name)).
		Scan(&id.User, &id.Tenant, &id.Role, &hash)
	if errors.Is(err, pgx.ErrNoRows) {
		found, err = false, nil
	}
	if err != nil {
		return Identity{}, fmt.Errorf("looking up a user: %w", err)
	}
	right, err := checkPassword(ctx, hash, password)
	if err != nil {
		return Identity{}, fmt.Errorf("checking a password: %w", err)
	}
	if !right || !found {
		return Identity{}, errSignIn
	}
	attempt.succeeded()
	id.CSRF = secret()
	return id, a.startSession(ctx, w, r, id)
}

func (a *Auth) startSession(ctx context.Context, w http.ResponseWriter, r *http.Request, id Identity) error {
	value, expires := secret(), time.Now().Add(a.cfg.SessionAge)
	_, err := a.pool.Exec(ctx, `WITH expired AS (DELETE FROM sessions WHERE expires_at < now())
		INSERT INTO sessions (hash, tenant, user_name, csrf, expires_at) VALUES ($1, $2, $3, $4, $5)`,
		digest(value), id.Tenant, id.User, id.CSRF, expires)
	if err != nil {
		return fmt.Errorf("starting a session: %w", err)
	}
	http.SetCookie(w, cookie(r, value, expires, int(a.cfg.SessionAge/time.Second)))
	return nil
}

// SignOut ends the session of r, if it has one, and takes its cookie away.
func (a *Auth) SignOut(w http.ResponseWriter, r *http.Request) error {
	for _, c := range r.CookiesNamed(CookieName) {
		if _, err := a.pool.Exec(r.Context(), `DELETE FROM sessions WHERE hash = $1`, digest(c.Value)); err != nil {
			return fmt.Errorf("ending a session: %w", err)
		}
	}
	http.SetCookie(w, cookie(r, "", time.Unix(0, 0), -1))
	return nil
}

func cookie(r *http.Request, value string, expires time.Time, maxAge int) *http.Cookie {
	secure := r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
	return &http.Cookie{Name: CookieName, Value: value, Path: "/", Expires: expires, MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: secure}
}

// Identify returns who asks: the owner of the bearer token, or of the session
// cookie. It returns paas.ErrDenied for nobody. A wrong token is not made good
// by a cookie. It does not check the CSRF token: whoever lets a cookie write
// compares Identity.CSRF with the header.
func (a *Auth) Identify(r *http.Request) (Identity, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, token, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return Identity{}, fmt.Errorf("Send Authorization: Bearer TOKEN: %w", paas.ErrDenied)
		}
		return a.byToken(r.Context(), strings.TrimSpace(token))
	}
	// Another host below the same domain can plant a second cookie of this
	// name; it must not lock the person out.
	for _, c := range r.CookiesNamed(CookieName) {
		id, err := a.bySession(r.Context(), c.Value)
		if !errors.Is(err, paas.ErrDenied) {
			return id, err
		}
	}
	return Identity{}, paas.ErrDenied
}

func (a *Auth) bySession(ctx context.Context, value string) (Identity, error) {
	id := Identity{ViaCookie: true}
	err := a.pool.QueryRow(ctx, `SELECT u.tenant, u.name, u.role, s.csrf FROM sessions s
		JOIN users u ON u.name = s.user_name WHERE s.hash = $1 AND s.expires_at > now()`, digest(value)).
		Scan(&id.Tenant, &id.User, &id.Role, &id.CSRF)
	if errors.Is(err, pgx.ErrNoRows) {
		return Identity{}, fmt.Errorf("The session has ended: %w", paas.ErrDenied)
	}
	if err != nil {
		return Identity{}, fmt.Errorf("looking up a session: %w", err)
	}
	return id, nil
}

// clean keeps Postgres from refusing a name that no user can have.
func clean(name string) string { return strings.ToValidUTF8(strings.ReplaceAll(name, "\x00", ""), "") }
