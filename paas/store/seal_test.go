package store_test

import (
	"strings"
	"testing"

	"kurama/paas"
	"kurama/paas/store"
)

func TestThePasswordOfADatabaseIsEncrypted(t *testing.T) {
	s, pool := setup(t)
	ctx := t.Context()
	if _, err := s.CreateApp(ctx, "default", "shop"); err != nil {
		t.Fatal(err)
	}
	first, second := store.NewKey(), store.NewKey()
	for i, text := range []string{first, second + "\n" + first} { // the second time the key is another
		keys, err := store.ParseKeys(text)
		if err != nil {
			t.Fatal(err)
		}
		with := s.Sealing(keys)
		if i == 0 {
			if err := with.AddDatabase(ctx, paas.Database{Tenant: "default", App: "shop", Name: "app_1", Password: "hunter2", Size: 1 << 30}); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := with.Reseal(ctx); err != nil || n != i {
			t.Errorf("%d were encrypted anew, %v", n, err)
		}
		var stored string
		if err := pool.QueryRow(ctx, `SELECT password FROM databases`).Scan(&stored); err != nil || strings.Contains(stored, "hunter2") || !strings.Contains(stored, strings.Fields(text)[0]) {
			t.Errorf("stored is %q, %v", stored, err)
		}
		if d, err := with.Database(ctx, "default", "shop"); err != nil || d.Password != "hunter2" || d.State != paas.DatabaseOpen {
			t.Errorf("got %+v, %v", d, err)
		}
	}
}

func TestSealing(t *testing.T) {
	s, pool := setup(t)
	ctx := t.Context()
	if _, err := s.CreateApp(ctx, "default", "shop"); err != nil {
		t.Fatal(err)
	}
	keys := func(text string) store.Keys {
		t.Helper()
		k, err := store.ParseKeys(text)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	first, second := store.NewKey(), store.NewKey()
	secret := map[string]string{"TOKEN": "hunter2", "EMPTY": ""}
	// clear reports whether the secret can be read in the database itself.
	clear := func() bool {
		t.Helper()
		var text string
		if err := pool.QueryRow(ctx, `SELECT coalesce(string_agg(value, ' '), '') || (SELECT coalesce(string_agg(env::text, ' '), '') FROM releases) FROM app_env`).Scan(&text); err != nil {
			t.Fatal(err)
		}
		return strings.Contains(text, "hunter2")
	}
	holds := func(s *store.Store) {
		t.Helper()
		vars, err := s.Env(ctx, "default", "shop")
		if err != nil || vars["TOKEN"] != "hunter2" || len(vars) != 2 {
			t.Errorf("settings: %v, %v", vars, err)
		}
		r, err := s.Release(ctx, "default", "shop", 1)
		if err != nil || r.Env["TOKEN"] != "hunter2" {
			t.Errorf("release: %v, %v", r.Env, err)
		}
	}

	if err := s.SetEnv(ctx, "default", "shop", secret); err != nil {
		t.Fatal(err)
	}
	if _, err := s.NewRelease(ctx, paas.Release{Tenant: "default", App: "shop", Env: secret}); err != nil {
		t.Fatal(err)
	}
	if !clear() {
		t.Fatal("without keys the settings are hidden: the test sees nothing")
	}
	t.Run("what was stored in the clear is encrypted, and read as before", func(t *testing.T) {
		with := s.Sealing(keys(first))
		if n, err := with.Reseal(ctx); err != nil || n != 4 || clear() {
			t.Errorf("%d, %v, in the clear: %v", n, err, clear())
		}
		holds(with)
		if n, err := with.Reseal(ctx); err != nil || n != 0 {
			t.Errorf("again: %d, %v", n, err)
		}
	})
	t.Run("a new key takes over, and then the old one is not needed", func(t *testing.T) {
		if n, err := s.Sealing(keys(second + "\n" + first + "\n")).Reseal(ctx); err != nil || n != 4 {
			t.Errorf("%d, %v", n, err)
		}
		holds(s.Sealing(keys(second)))
		if _, err := s.Sealing(keys(first)).Env(ctx, "default", "shop"); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("with the old key alone: %v", err)
		}
	})
	t.Run("a change is encrypted at once", func(t *testing.T) {
		with := s.Sealing(keys(second))
		if err := with.SetEnv(ctx, "default", "shop", secret); err != nil || clear() {
			t.Errorf("%v, in the clear: %v", err, clear())
		}
		holds(with)
	})
	t.Run("a value that was moved to another name is refused", func(t *testing.T) {
		if _, err := pool.Exec(ctx, `UPDATE app_env SET value = (SELECT value FROM app_env WHERE key = 'TOKEN') WHERE key = 'EMPTY'`); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Sealing(keys(second)).Env(ctx, "default", "shop"); err == nil || !strings.Contains(err.Error(), "EMPTY cannot be decrypted") {
			t.Errorf("got %v", err)
		}
	})
}

func TestParseKeys(t *testing.T) {
	good := store.NewKey()
	for _, bad := range []string{"", "x", "a 00", good + "\n" + good, "a:b " + strings.Repeat("00", 32)} {
		if _, err := store.ParseKeys(bad); err == nil || strings.Contains(err.Error(), good[9:]) {
			t.Errorf("%.12q: %v", bad, err)
		}
	}
}
