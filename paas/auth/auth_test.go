package auth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/config"
	"kurama/internal/postgres/pgtest"
	"kurama/paas"
	"kurama/paas/auth"
)

const password = "correct horse battery"

// setup returns an Auth whose database has the tenants default and other, and
// the developer ann of default.
func setup(t *testing.T) (*auth.Auth, *pgxpool.Pool) {
	t.Helper()
	pool := pgtest.New(t)
	a := auth.New(config.Default().Console, pool)
	for _, tenant := range []string{"default", "other"} {
		if _, err := a.CreateTenant(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.CreateUser(t.Context(), paas.User{Name: "ann", Tenant: "default", Role: paas.RoleDeveloper}, password); err != nil {
		t.Fatal(err)
	}
	return a, pool
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func wantInvalid(t *testing.T, err error, part string) {
	t.Helper()
	var invalid *paas.Invalid
	if !errors.As(err, &invalid) || !strings.Contains(invalid.Reason, part) {
		t.Errorf("got %v, want a sentence with %q", err, part)
	}
}

func request(t *testing.T) *http.Request {
	return httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
}

func signIn(t *testing.T, a *auth.Auth, r *http.Request, name, password string) (auth.Identity, *http.Cookie, error) {
	t.Helper()
	w := httptest.NewRecorder()
	id, err := a.SignIn(w, r, name, password)
	if cookies := w.Result().Cookies(); len(cookies) == 1 {
		return id, cookies[0], err
	}
	return id, nil, err
}

func TestSessions(t *testing.T) {
	a, pool := setup(t)

	t.Run("the cookie identifies the person until they sign out", func(t *testing.T) {
		_, cookie, err := signIn(t, a, request(t), "ann", password)
		if err != nil {
			t.Fatal(err)
		}
		if !cookie.HttpOnly || cookie.Secure || cookie.SameSite != http.SameSiteLaxMode || cookie.Name != "kurama_session" || cookie.Domain != "" {
			t.Errorf("cookie: %+v", cookie)
		}
		r := request(t)
		r.AddCookie(&http.Cookie{Name: auth.CookieName, Value: "planted by another host"})
		r.AddCookie(cookie)
		id, err := a.Identify(r)
		if err != nil || id.User != "ann" || id.Tenant != "default" || id.Role != paas.RoleDeveloper || id.CSRF == "" || !id.ViaCookie {
			t.Errorf("got %+v, %v", id, err)
		}
		if err := a.SignOut(httptest.NewRecorder(), r); err != nil {
			t.Fatal(err)
		}
		_, err = a.Identify(r)
		wantErr(t, err, paas.ErrDenied)
	})
	t.Run("behind TLS the cookie is secure", func(t *testing.T) {
		r := request(t)
		r.Header.Set("X-Forwarded-Proto", "https")
		if _, cookie, err := signIn(t, a, r, "ann", password); err != nil || !cookie.Secure {
			t.Errorf("got %+v, %v", cookie, err)
		}
	})
	t.Run("a session ends at its age", func(t *testing.T) {
		_, cookie, _ := signIn(t, a, request(t), "ann", password)
		if _, err := pool.Exec(t.Context(), `UPDATE sessions SET expires_at = now()`); err != nil {
			t.Fatal(err)
		}
		r := request(t)
		r.AddCookie(cookie)
		_, err := a.Identify(r)
		wantErr(t, err, paas.ErrDenied)
	})
	t.Run("nobody is denied", func(t *testing.T) {
		for _, header := range []string{"", "Bearer", "Bearer kt_x", "Basic YTpi", "nonsense"} {
			r := request(t)
			r.Header.Set("Authorization", header)
			_, err := a.Identify(r)
			wantErr(t, err, paas.ErrDenied)
		}
	})
	t.Run("wrong name and wrong password look alike", func(t *testing.T) {
		_, cookie, wrongPassword := signIn(t, a, request(t), "ann", "wrong")
		_, _, wrongName := signIn(t, a, request(t), "no\x00body\xff", password)
		wantErr(t, wrongPassword, paas.ErrDenied)
		if cookie != nil || wrongName == nil || wrongPassword.Error() != wrongName.Error() {
			t.Errorf("got %v and %v, cookie %v", wrongPassword, wrongName, cookie)
		}
	})
	t.Run("an address that fails too often has to wait, and only that", func(t *testing.T) {
		cfg := config.Default().Console
		cfg.SignInRate, cfg.Proxies = 3, "192.0.2.1"
		a := auth.New(cfg, pool)
		from := func(address string) *http.Request {
			r := request(t) // from 192.0.2.1, which httptest gives
			r.Header.Set("X-Forwarded-For", "8.8.8.8, "+address)
			return r
		}
		for range 3 {
			_, _, err := signIn(t, a, from("198.51.100.9"), "Ann", "wrong")
			wantErr(t, err, paas.ErrDenied)
		}
		_, _, err := signIn(t, a, from("198.51.100.9"), "bob", password)
		var throttled *paas.Throttled
		if !errors.As(err, &throttled) || throttled.Seconds() < 1 || throttled.Seconds() > 20 {
			t.Errorf("got %v", err)
		}
		if _, _, err := signIn(t, a, from("198.51.100.10"), "ann", password); err != nil {
			t.Errorf("the name is locked for its owner: %v", err)
		}
	})
}

func TestPeople(t *testing.T) {
	a, pool := setup(t)
	ctx := t.Context()
	invite := func(i paas.Invitation) (paas.Invitation, string) {
		t.Helper()
		i.Tenant, i.CreatedBy = "default", "ann"
		made, link, err := a.Invite(ctx, i)
		if err != nil {
			t.Fatal(err)
		}
		_, secret, _ := strings.Cut(link, "/#/join/")
		return made, secret
	}
	accept := func(secret, name string) (auth.Identity, error) {
		return a.Accept(httptest.NewRecorder(), request(t), secret, name, password)
	}
	t.Run("an invitation makes one person, once", func(t *testing.T) {
		made, secret := invite(paas.Invitation{Role: paas.RoleViewer, Email: "bob@example.org"})
		_, err := accept(secret, "b b")
		wantInvalid(t, err, `"b b"`)
		_, err = accept(secret, "ann")
		wantErr(t, err, paas.ErrExists)
		id, err := accept(secret, "bob")
		if err != nil || id.Tenant != "default" || id.Role != paas.RoleViewer || id.CSRF == "" {
			t.Fatalf("got %+v, %v", id, err)
		}
		_, err = accept(secret, "bob2")
		wantInvalid(t, err, "used already")
		list, err := a.Invitations(ctx, "default")
		if err != nil || len(list) != 1 || list[0].ID != made.ID || list[0].AcceptedBy != "bob" {
			t.Errorf("got %+v, %v", list, err)
		}
		if u, err := a.User(ctx, "default", "bob"); err != nil || u.Email != "" {
			t.Errorf("an address that nobody vouched for is theirs: %+v, %v", u, err)
		}
		var mails int
		if err := pool.QueryRow(ctx, `SELECT count(*) FROM notifications WHERE kind = 'invitation' AND recipient = 'bob@example.org'
			AND body_text LIKE '%' || $1 || '%' AND body_html LIKE '%' || $1 || '%'`, secret).Scan(&mails); err != nil || mails != 1 {
			t.Errorf("%d mails carry the link, %v", mails, err)
		}
	})
	t.Run("two who accept at once make one person", func(t *testing.T) {
		_, secret := invite(paas.Invitation{Role: paas.RoleViewer})
		var wg sync.WaitGroup
		var joined atomic.Int32
		for _, name := range []string{"cat", "dog"} {
			wg.Go(func() {
				if _, err := accept(secret, name); err == nil {
					joined.Add(1)
				}
			})
		}
		wg.Wait()
		if joined.Load() != 1 {
			t.Errorf("%d joined", joined.Load())
		}
	})
	t.Run("an invitation that ended or was taken back lets nobody in", func(t *testing.T) {
		_, secret := invite(paas.Invitation{Role: paas.RoleViewer, ExpiresAt: time.Now().Add(-time.Second)})
		_, err := accept(secret, "late")
		wantInvalid(t, err, "expired")
		made, secret := invite(paas.Invitation{Role: paas.RoleViewer})
		wantErr(t, a.DeleteInvitation(ctx, "other", made.ID), paas.ErrNotFound)
		wantErr(t, a.DeleteInvitation(ctx, "default", made.ID), nil)
		_, err = accept(secret, "late")
		wantInvalid(t, err, "unknown")
		_, _, err = a.Invite(ctx, paas.Invitation{Tenant: "default", Role: paas.RoleViewer, Email: "a@b\r\nBcc: c@d"})
		wantInvalid(t, err, "e-mail address")
	})
	t.Run("a lesser role takes back the tokens that may more", func(t *testing.T) {
		_, mighty, _ := a.CreateToken(ctx, paas.Token{Tenant: "default", Name: "m", Role: paas.RoleDeveloper, CreatedBy: "ann"})
		_, small, _ := a.CreateToken(ctx, paas.Token{Tenant: "default", Name: "s", Role: paas.RoleViewer, CreatedBy: "ann"})
		if u, err := a.SetRole(ctx, "default", "ann", paas.RoleViewer); err != nil || u.Role != paas.RoleViewer {
			t.Fatalf("got %+v, %v", u, err)
		}
		for token, want := range map[string]error{mighty: paas.ErrDenied, small: nil} {
			r := request(t)
			r.Header.Set("Authorization", "Bearer "+token)
			_, err := a.Identify(r)
			wantErr(t, err, want)
		}
		_, err := a.SetRole(ctx, "other", "ann", paas.RoleOwner)
		wantErr(t, err, paas.ErrNotFound)
	})
	t.Run("an operator who goes or may less leaves no way back in any tenant", func(t *testing.T) {
		for _, name := range []string{"op", "root"} {
			if _, err := a.CreateUser(ctx, paas.User{Name: name, Tenant: "default", Role: paas.RoleOperator}, password); err != nil {
				t.Fatal(err)
			}
		}
		leave := func() (elsewhere, own, mighty, small string) {
			_, elsewhere, _ = a.CreateToken(ctx, paas.Token{Tenant: "other", Name: "x", Role: paas.RoleViewer, CreatedBy: "op"})
			_, own, _ = a.CreateToken(ctx, paas.Token{Tenant: "default", Name: "x", Role: paas.RoleViewer, CreatedBy: "op"})
			_, link, _ := a.Invite(ctx, paas.Invitation{Tenant: "default", Role: paas.RoleOperator, CreatedBy: "op"})
			_, mighty, _ = strings.Cut(link, "/#/join/")
			_, link, _ = a.Invite(ctx, paas.Invitation{Tenant: "default", Role: paas.RoleViewer, CreatedBy: "op"})
			_, small, _ = strings.Cut(link, "/#/join/")
			return elsewhere, own, mighty, small
		}
		check := func(token string, want error) {
			t.Helper()
			r := request(t)
			r.Header.Set("Authorization", "Bearer "+token)
			_, err := a.Identify(r)
			wantErr(t, err, want)
		}
		elsewhere, own, mighty, small := leave()
		if _, err := a.SetRole(ctx, "default", "op", paas.RoleOwner); err != nil {
			t.Fatal(err)
		}
		check(elsewhere, paas.ErrDenied)
		check(own, nil)
		_, err := a.Invitation(ctx, mighty)
		wantInvalid(t, err, "unknown")
		_, err = a.Invitation(ctx, small)
		wantErr(t, err, nil)

		elsewhere, _, mighty, _ = leave()
		wantErr(t, a.DeleteUser(ctx, "default", "op"), nil)
		check(elsewhere, paas.ErrDenied)
		check(own, paas.ErrDenied)
		for _, secret := range []string{mighty, small} {
			_, err := a.Invitation(ctx, secret)
			wantInvalid(t, err, "unknown")
		}
	})
	t.Run("a new password ends the other sessions", func(t *testing.T) {
		const fresh = "another horse battery"
		id, mine, _ := signIn(t, a, request(t), "ann", password)
		_, other, _ := signIn(t, a, request(t), "ann", password)
		r := request(t)
		r.AddCookie(mine)
		wantInvalid(t, a.SetPassword(r, id, "wrong", fresh), "old password is wrong")
		wantErr(t, a.SetPassword(r, id, password, fresh), nil)
		_, err := a.Identify(r)
		wantErr(t, err, nil)
		r = request(t)
		r.AddCookie(other)
		_, err = a.Identify(r)
		wantErr(t, err, paas.ErrDenied)
		_, _, err = signIn(t, a, request(t), "ann", password)
		wantErr(t, err, paas.ErrDenied)
		_, _, err = signIn(t, a, request(t), "ann", fresh)
		wantErr(t, err, nil)
	})
}

func TestTokens(t *testing.T) {
	a, pool := setup(t)
	ctx := t.Context()
	bearer := func(token string) *http.Request {
		r := request(t)
		r.Header.Set("Authorization", "Bearer "+token)
		return r
	}
	t.Run("a token identifies until it is taken back", func(t *testing.T) {
		stored, token, err := a.CreateToken(ctx, paas.Token{Tenant: "default", Name: "ci", Role: paas.RoleViewer, CreatedBy: "ann"})
		if err != nil || !strings.HasPrefix(token, "kt_") {
			t.Fatal(token, err)
		}
		id, err := a.Identify(bearer(token))
		if err != nil || id.User != "ann" || id.Role != paas.RoleViewer || id.ViaCookie {
			t.Errorf("got %+v, %v", id, err)
		}
		list, err := a.Tokens(ctx, "default", "ann")
		if err != nil || len(list) != 1 || list[0].UsedAt == nil {
			t.Errorf("got %+v, %v", list, err)
		}
		wantErr(t, a.DeleteToken(ctx, "other", stored.ID, ""), paas.ErrNotFound)
		wantErr(t, a.DeleteToken(ctx, "default", stored.ID, "bob"), paas.ErrNotFound)
		wantErr(t, a.DeleteToken(ctx, "default", "not-an-id", ""), paas.ErrNotFound)
		wantErr(t, a.DeleteToken(ctx, "default", stored.ID, ""), nil)
		_, err = a.Identify(bearer(token))
		wantErr(t, err, paas.ErrDenied)
	})
	t.Run("the secret is not in the database", func(t *testing.T) {
		_, token, _ := a.CreateToken(ctx, paas.Token{Tenant: "default", Name: "x", Role: paas.RoleViewer, CreatedBy: "ann"})
		var found bool
		if err := pool.QueryRow(ctx, `SELECT bool_or(t::text LIKE '%' || $1 || '%') FROM tokens t`, token).Scan(&found); err != nil || found {
			t.Errorf("found %v, %v", found, err)
		}
	})
	t.Run("an expired token is nobody's", func(t *testing.T) {
		soon := time.Now().Add(time.Hour)
		_, token, _ := a.CreateToken(ctx, paas.Token{Tenant: "default", Name: "x", Role: paas.RoleViewer, CreatedBy: "ann", ExpiresAt: &soon})
		if _, err := pool.Exec(ctx, `UPDATE tokens SET expires_at = now() WHERE expires_at IS NOT NULL`); err != nil {
			t.Fatal(err)
		}
		_, err := a.Identify(bearer(token))
		wantErr(t, err, paas.ErrDenied)
	})
	t.Run("a person who goes takes their tokens along", func(t *testing.T) {
		_, token, _ := a.CreateToken(ctx, paas.Token{Tenant: "default", Name: "x", Role: paas.RoleViewer, CreatedBy: "ann"})
		wantErr(t, a.DeleteUser(ctx, "other", "ann"), paas.ErrNotFound)
		wantErr(t, a.DeleteUser(ctx, "default", "ann"), nil)
		_, err := a.Identify(bearer(token))
		wantErr(t, err, paas.ErrDenied)
	})
}

func TestUsersAndTenants(t *testing.T) {
	a, pool := setup(t)
	ctx := t.Context()
	_, err := a.CreateUser(ctx, paas.User{Name: "ann", Tenant: "other", Role: paas.RoleViewer}, password)
	wantErr(t, err, paas.ErrExists)
	_, err = a.CreateUser(ctx, paas.User{Name: "bob", Tenant: "nobody", Role: paas.RoleViewer}, password)
	wantErr(t, err, paas.ErrNotFound)
	_, err = a.CreateUser(ctx, paas.User{Name: "bob", Tenant: "other", Role: "king"}, password)
	wantInvalid(t, err, `"king"`)
	_, err = a.CreateUser(ctx, paas.User{Name: "bob", Tenant: "other", Role: paas.RoleViewer}, "short")
	wantInvalid(t, err, "5 characters")
	_, err = a.CreateUser(ctx, paas.User{Name: "b b", Tenant: "other", Role: paas.RoleViewer}, password)
	wantInvalid(t, err, `"b b"`)
	_, err = a.CreateTenant(ctx, "Other!")
	wantInvalid(t, err, `"Other!"`)
	_, err = a.CreateTenant(ctx, "other")
	wantErr(t, err, paas.ErrExists)

	if users, err := a.Users(ctx, "default"); err != nil || len(users) != 1 || users[0].Name != "ann" {
		t.Errorf("users: %v, %v", users, err)
	}
	if _, err := pool.Exec(ctx, `INSERT INTO apps (tenant, name) VALUES ('other', 'hello')`); err != nil {
		t.Fatal(err)
	}
	if tenants, err := a.Tenants(ctx); err != nil || len(tenants) != 2 || tenants[1].Apps != 1 {
		t.Errorf("tenants: %v, %v", tenants, err)
	}
	wantErr(t, a.DeleteTenant(ctx, "default"), paas.ErrConflict)
	wantErr(t, a.DeleteTenant(ctx, "other"), paas.ErrConflict)
	wantErr(t, a.DeleteTenant(ctx, "nobody"), paas.ErrNotFound)
	_, _ = pool.Exec(ctx, `DELETE FROM apps`)
	wantErr(t, a.DeleteTenant(ctx, "other"), nil)
	wantErr(t, a.HasTenant(ctx, "other"), paas.ErrNotFound)
}

func TestBootstrap(t *testing.T) {
	a, dir := auth.New(config.Default().Console, pgtest.New(t)), t.TempDir()
	ctx := t.Context()
	bootstrap := func(want bool) {
		t.Helper()
		if created, err := a.Bootstrap(ctx, dir); err != nil || created != want {
			t.Fatalf("created %v, %v", created, err)
		}
	}
	token := func() string {
		t.Helper()
		path := filepath.Join(dir, "admin.token")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v", info.Mode())
		}
		r := request(t)
		r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(text)))
		if id, err := a.Identify(r); err != nil || id.Role != paas.RoleOperator || id.Tenant != "default" {
			t.Errorf("the token gives %+v, %v", id, err)
		}
		return string(text)
	}
	bootstrap(true)
	name, password, err := auth.ReadAdmin(dir)
	if err != nil {
		t.Fatal(err)
	}
	if id, _, err := signIn(t, a, request(t), name, password); err != nil || id.Role != paas.RoleOperator {
		t.Errorf("the password gives %+v, %v", id, err)
	}
	first := token()

	bootstrap(false)
	if token() != first {
		t.Error("a second start changed a valid token")
	}
	if err := os.Remove(filepath.Join(dir, "admin.token")); err != nil {
		t.Fatal(err)
	}
	bootstrap(false)
	if token() == first {
		t.Error("a lost token came back")
	}
	if err := os.WriteFile(filepath.Join(dir, "admin.token"), []byte(first), 0o600); err != nil {
		t.Fatal(err)
	}
	bootstrap(false)
	if token() == first {
		t.Error("a token that was taken back is valid again")
	}
	wantErr(t, a.DeleteUser(ctx, "default", "admin"), paas.ErrConflict)
}
