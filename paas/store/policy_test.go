package store_test

import (
	"errors"
	"testing"
	"time"

	"kurama/paas"
	"kurama/paas/store"
)

func TestPolicies(t *testing.T) {
	_, pool := setup(t)
	ctx := t.Context()
	defaults := paas.DefaultPolicy()
	defaults.Max = 7
	s := store.NewPolicies(pool, defaults)
	run := func(sql string) {
		t.Helper()
		if _, err := pool.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("an app without a policy has the default", func(t *testing.T) {
		if p, err := s.Policy(ctx, "default", "hello"); err != nil || p != defaults {
			t.Errorf("%+v, %v", p, err)
		}
	})
	t.Run("what a stored policy does not say is as in the default", func(t *testing.T) {
		run(`INSERT INTO policies (tenant, app, policy) VALUES ('default', 'hello', '{"name":"step","min":2,"max":5,"cooldown":0,"step":{"up":50}}')`)
		want := defaults
		want.Name, want.Min, want.Max, want.Cooldown, want.Step.Up = "step", 2, 5, 0, 50
		if p, err := s.Policy(ctx, "default", "hello"); err != nil || p != want {
			t.Errorf("%+v, %v", p, err)
		}
	})
	t.Run("a policy is stored whole, with the replicas or not at all", func(t *testing.T) {
		p := defaults
		p.Name, p.Swift.Drain, p.Schedule = "swift", 9, "Mon-Fri 08:00-18:00 3"
		wantErr(t, s.Scale(ctx, "default", "hello", 3, &p), nil)
		if got, err := s.Policy(ctx, "default", "hello"); err != nil || got != p {
			t.Errorf("%+v, %v", got, err)
		}
		wrong := p
		wrong.Min = 9
		var invalid *paas.Invalid
		if err := s.Scale(ctx, "default", "hello", 4, &wrong); !errors.As(err, &invalid) {
			t.Errorf("got %v", err)
		}
		if err := s.Scale(ctx, "default", "hello", paas.MaxReplicas+1, nil); !errors.As(err, &invalid) {
			t.Errorf("got %v", err)
		}
		if a, err := store.New(pool).App(ctx, "default", "hello"); err != nil || a.Desired != 3 {
			t.Errorf("%+v, %v", a, err)
		}
	})
	t.Run("an app that is not there is not found", func(t *testing.T) {
		_, err := s.Policy(ctx, "other", "hello")
		wantErr(t, err, paas.ErrNotFound)
		wantErr(t, s.Scale(ctx, "other", "hello", 1, &defaults), paas.ErrNotFound)
	})
	d := paas.Decision{Tenant: "default", App: "hello", At: time.Now().UTC().Truncate(time.Millisecond), Policy: "swift", From: 7, To: 8, Reason: "7 → 8", Inputs: map[string]float64{"rate": 91}}
	t.Run("a decision about an app that has changed meanwhile is not stored", func(t *testing.T) {
		run(`UPDATE apps SET state = 'running', release = 3`)
		applied, err := s.Apply(ctx, d)
		list, _ := s.Decisions(ctx, "default", "hello", 10)
		if err != nil || applied || len(list) != 0 {
			t.Error(applied, err, list)
		}
	})
	t.Run("an app to scale comes with its policy, its concurrency, a deploy under way and its last decision", func(t *testing.T) {
		run(`INSERT INTO releases (tenant, app, number, state, start) VALUES ('default', 'hello', 3, 'live', '{"command":["gunicorn","--workers","2","--threads","4","app:app"]}'), ('default', 'hello', 4, 'starting', '{}')`)
		d.From, d.To = 3, 4
		if applied, err := s.Apply(ctx, d); err != nil || !applied {
			t.Fatal(applied, err)
		}
		list, err := s.ScaledApps(ctx)
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		got := list[0]
		if !got.Deploying || !got.Decided.Equal(d.At) || got.Desired != 4 || got.Release != 3 || got.Concurrency != 8 || got.Policy.Swift.Drain != 9 {
			t.Errorf("%+v", got)
		}
		decisions, err := s.Decisions(ctx, "default", "hello", 1)
		if err != nil || len(decisions) != 1 || decisions[0].To != 4 || decisions[0].Inputs["rate"] != 91 {
			t.Errorf("%+v, %v", decisions, err)
		}
	})
	t.Run("an app that the autoscaler takes to 0 sleeps and is still looked after, one that a person stops is not", func(t *testing.T) {
		apps := store.New(pool)
		apply := func(from, to int) {
			t.Helper()
			if applied, err := s.Apply(ctx, paas.Decision{Tenant: "default", App: "hello", At: time.Now(), Policy: "swift", From: from, To: to, Inputs: map[string]float64{}}); err != nil || !applied {
				t.Fatal(applied, err)
			}
		}
		looked := func(n int, asleep bool) {
			t.Helper()
			list, err := s.ScaledApps(ctx)
			a, err2 := apps.App(ctx, "default", "hello")
			if err := errors.Join(err, err2); err != nil || len(list) != n || a.Asleep != asleep {
				t.Errorf("%d apps, asleep %t, %v", len(list), a.Asleep, err)
			}
		}
		apply(4, 0)
		looked(1, true)
		run(`UPDATE apps SET state = 'asleep'`)
		looked(1, true)
		apply(0, 2)
		looked(1, false) // on its way
		apply(2, 0)
		wantErr(t, apps.SetDesired(ctx, "default", "hello", 0), nil)
		looked(0, false)
	})
}
