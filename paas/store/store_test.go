package store_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/postgres/pgtest"
	"kurama/paas"
	"kurama/paas/store"
)

// setup returns a store on a fresh database that has the tenants default and
// other, and the app default/hello.
func setup(t *testing.T) (*store.Store, *pgxpool.Pool) {
	t.Helper()
	pool := pgtest.New(t)
	if _, err := pool.Exec(t.Context(), `INSERT INTO tenants VALUES ('default'), ('other')`); err != nil {
		t.Fatal(err)
	}
	s := store.New(pool)
	if _, err := s.CreateApp(t.Context(), "default", "hello"); err != nil {
		t.Fatal(err)
	}
	return s, pool
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestApps(t *testing.T) {
	s, _ := setup(t)
	ctx := t.Context()

	t.Run("a new app wants one replica and has no release", func(t *testing.T) {
		a, err := s.App(ctx, "default", "hello")
		if err != nil || a.State != paas.AppNew || a.Desired != 1 || a.Release != 0 || a.UID == 0 {
			t.Errorf("got %+v, %v", a, err)
		}
	})
	t.Run("a name is taken once per tenant", func(t *testing.T) {
		_, err := s.CreateApp(ctx, "default", "hello")
		wantErr(t, err, paas.ErrExists)
		if _, err := s.CreateApp(ctx, "other", "hello"); err != nil {
			t.Error(err)
		}
	})
	t.Run("a name that cannot be one is refused with a sentence", func(t *testing.T) {
		_, err := s.CreateApp(ctx, "default", "../etc")
		var invalid *paas.Invalid
		if !errors.As(err, &invalid) || !strings.Contains(invalid.Reason, `"../etc"`) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("what does not exist is not found", func(t *testing.T) {
		_, err := s.App(ctx, "default", "nope")
		wantErr(t, err, paas.ErrNotFound)
		_, err = s.CreateApp(ctx, "nobody", "hello")
		wantErr(t, err, paas.ErrNotFound)
		wantErr(t, s.SetDesired(ctx, "default", "nope", 2), paas.ErrNotFound)
		wantErr(t, s.DeleteApp(ctx, "default", "nope"), paas.ErrNotFound)
		_, err = s.Env(ctx, "default", "nope")
		wantErr(t, err, paas.ErrNotFound)
	})
	t.Run("state, replicas and restarts are kept", func(t *testing.T) {
		wantErr(t, s.SetAppState(ctx, "default", "hello", paas.AppFailed, "it \x00 broke \xff"), nil)
		wantErr(t, s.SetDesired(ctx, "default", "hello", 3), nil)
		wantErr(t, s.RequestRestart(ctx, "default", "hello"), nil)
		a, _ := s.App(ctx, "default", "hello")
		if a.State != paas.AppFailed || a.Reason != "it \uFFFD broke \uFFFD" || a.Desired != 3 || a.Restart != 1 {
			t.Errorf("got %+v", a)
		}
		var invalid *paas.Invalid
		if err := s.SetDesired(ctx, "default", "hello", -1); !errors.As(err, &invalid) {
			t.Errorf("-1 replicas: got %v", err)
		}
	})
	t.Run("a tenant sees its own", func(t *testing.T) {
		own, _ := s.Apps(ctx, "other")
		every, _ := s.AllApps(ctx)
		if len(own) != 1 || own[0].Tenant != "other" || len(every) != 2 {
			t.Errorf("got %v of %v", own, every)
		}
	})
	t.Run("settings are replaced as a whole", func(t *testing.T) {
		want := map[string]string{"A": "1", "B_2": "ä=b\n"}
		wantErr(t, s.SetEnv(ctx, "default", "hello", map[string]string{"OLD": "x"}), nil)
		wantErr(t, s.SetEnv(ctx, "default", "hello", want), nil)
		got, err := s.Env(ctx, "default", "hello")
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("got %v, %v", got, err)
		}
		for _, name := range []string{"", "1A", "A B", "PORT", "KURAMA_SOCKET"} {
			var invalid *paas.Invalid
			if err := s.SetEnv(ctx, "default", "hello", map[string]string{name: "x"}); !errors.As(err, &invalid) {
				t.Errorf("%q: got %v", name, err)
			}
		}
	})
}

func TestReleases(t *testing.T) {
	s, _ := setup(t)
	ctx := t.Context()
	release := func(t *testing.T) paas.Release {
		t.Helper()
		r, err := s.NewRelease(ctx, paas.Release{Tenant: "default", App: "hello", CreatedBy: "ann",
			Env: map[string]string{"K": "V"}, Limits: paas.Limits{CPU: 0.5, Memory: 1 << 28}})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	t.Run("numbers only grow, also for uploads at once", func(t *testing.T) {
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() { release(t) })
		}
		wg.Wait()
		got, err := s.Releases(ctx, "default", "hello", 0)
		if err != nil || len(got) != 5 || got[0].Number != 5 || got[4].Number != 1 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("what is stored comes back", func(t *testing.T) {
		r := release(t)
		r.State, r.SourceDigest, r.Layer = paas.ReleaseStarting, "abc", "l1"
		r.Start = paas.Start{Command: []string{"gunicorn", "app:app"}, Health: "/", Why: "app.py has app"}
		wantErr(t, s.UpdateRelease(ctx, r), nil)
		got, err := s.Release(ctx, "default", "hello", r.Number)
		if err != nil || got.State != r.State || got.Layer != "l1" || got.Start.Command[1] != "app:app" ||
			got.Env["K"] != "V" || got.Limits != r.Limits || got.LiveAt != nil {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("one release is live and the former is superseded", func(t *testing.T) {
		first, second := release(t), release(t)
		second.Start.Static = []paas.Static{{Path: "/static", Dir: "shop/static", Cache: 60}}
		wantErr(t, s.UpdateRelease(ctx, second), nil)
		wantErr(t, s.SetLive(ctx, "default", "hello", first.Number), nil)
		if a, err := s.App(ctx, "default", "hello"); err != nil || len(a.Static) != 0 {
			t.Errorf("it serves %+v, %v", a.Static, err)
		}
		wantErr(t, s.SetLive(ctx, "default", "hello", second.Number), nil)
		if a, err := s.App(ctx, "default", "hello"); err != nil || len(a.Static) != 1 || a.Static[0].Release != second.Number || !slices.Equal(a.Static[0].Folders, second.Start.Static) {
			t.Errorf("it serves %+v, %v", a.Static, err)
		}
		former, _ := s.Release(ctx, "default", "hello", first.Number)
		live, _ := s.Release(ctx, "default", "hello", second.Number)
		a, _ := s.App(ctx, "default", "hello")
		if former.State != paas.ReleaseSuperseded || live.State != paas.ReleaseLive || live.LiveAt == nil ||
			a.Release != second.Number || a.State != paas.AppRunning {
			t.Errorf("former %s, live %s, app %+v", former.State, live.State, a)
		}
		wantErr(t, s.SetLive(ctx, "default", "hello", first.Number), paas.ErrConflict)
		wantErr(t, s.SetLive(ctx, "default", "hello", 999), paas.ErrNotFound)
		last, err := s.LastReleases(ctx, "default")
		if err != nil || last["hello"].Number != second.Number {
			t.Errorf("last releases: %v, %v", last, err)
		}
	})
	t.Run("the build log counts its lines", func(t *testing.T) {
		r := release(t)
		for _, line := range []string{"one", "two\x00", "three"} {
			wantErr(t, s.AppendBuildLog(ctx, "default", "hello", r.Number, "unpack", line), nil)
		}
		lines, err := s.BuildLog(ctx, "default", "hello", r.Number, 1)
		if err != nil || len(lines) != 2 || lines[0].N != 2 || lines[1].Line != "three" {
			t.Errorf("got %v, %v", lines, err)
		}
		wantErr(t, s.AppendBuildLog(ctx, "default", "hello", 999, "unpack", "x"), paas.ErrNotFound)
	})
	t.Run("an app on its way out takes no release", func(t *testing.T) {
		r := release(t)
		wantErr(t, s.SetAppState(ctx, "default", "hello", paas.AppDeleting, ""), nil)
		_, err := s.NewRelease(ctx, paas.Release{Tenant: "default", App: "hello"})
		wantErr(t, err, paas.ErrConflict)
		wantErr(t, s.SetLive(ctx, "default", "hello", r.Number), paas.ErrConflict)
		wantErr(t, s.DeleteApp(ctx, "default", "hello"), nil)
		_, err = s.Release(ctx, "default", "hello", r.Number)
		wantErr(t, err, paas.ErrNotFound)
	})
}

func TestWatch(t *testing.T) {
	s, pool := setup(t)
	ctx, stop := context.WithCancel(t.Context())
	heard, ended := make(chan struct{}, 100), make(chan error)
	go func() { ended <- s.Watch(ctx, func() { heard <- struct{}{} }) }()
	hear := func(what string) {
		t.Helper()
		select {
		case <-heard:
		case <-time.After(10 * time.Second):
			t.Fatalf("nothing heard after %s", what)
		}
	}
	hear("the start")
	wantErr(t, s.SetDesired(ctx, "default", "hello", 2), nil)
	hear("a write")
	if _, err := pool.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE query = 'LISTEN kurama_apps' AND datname = current_database()`); err != nil {
		t.Fatal(err)
	}
	hear("a broken connection")
	wantErr(t, s.SetDesired(ctx, "default", "hello", 3), nil)
	hear("a write after the reconnect")
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
