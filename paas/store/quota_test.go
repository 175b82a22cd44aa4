package store_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kurama/paas"
	"kurama/paas/store"
)

func TestQuota(t *testing.T) {
	s, pool := setup(t) // with the app hello of the default tenant
	ctx := t.Context()
	s.Within(paas.Quota{Apps: 3, Replicas: 5})
	policies := store.NewPolicies(pool, paas.Policy{Name: "kurama", Min: 1, Max: 9}).Within(paas.Quota{Apps: 3, Replicas: 5})
	refused := func(t *testing.T, err error, start string) {
		t.Helper()
		if bad, ok := errors.AsType[*paas.Invalid](err); !ok || !strings.HasPrefix(bad.Reason, start) {
			t.Errorf("got %v, not %q", err, start)
		}
	}
	t.Run("is the default's until the operator sets one, and counts what apps ask for", func(t *testing.T) {
		quota, own, use, err := s.Quota(ctx, "default")
		if err != nil || own || quota != (paas.Quota{Apps: 3, Replicas: 5}) || use != (paas.Quota{Apps: 1, Replicas: 1}) {
			t.Errorf("got %+v %t %+v, %v", quota, own, use, err)
		}
	})
	t.Run("refuses replicas by whichever way they come", func(t *testing.T) {
		refused(t, s.SetDesired(ctx, "default", "hello", 6), "Tenant default would have 6 replicas, and its quota is 5.")
		refused(t, policies.Scale(ctx, "default", "hello", 6, nil), "Tenant default would have 6 replicas")
		wantErr(t, s.SetDesired(ctx, "default", "hello", 5), nil)
		rel, err := s.NewRelease(ctx, paas.Release{Tenant: "default", App: "hello", Limits: paas.Limits{CPU: 0.5, Memory: 64 << 20}})
		wantErr(t, err, nil)
		wantErr(t, s.SetLive(ctx, "default", "hello", rel.Number), nil)
		applied, err := policies.Apply(ctx, paas.Decision{Tenant: "default", App: "hello", At: time.Now(), From: 5, To: 6, Inputs: map[string]float64{}})
		if refused(t, err, "Tenant default would have 6 replicas"); applied {
			t.Error("the autoscaler went beyond the quota")
		}
		if a, _ := s.App(ctx, "default", "hello"); a.Desired != 5 {
			t.Errorf("%d replicas are wanted", a.Desired)
		}
	})
	t.Run("counts the replicas of a canary, with its own limits", func(t *testing.T) {
		wantErr(t, s.SetDesired(ctx, "default", "hello", 3), nil)
		rel, err := s.NewRelease(ctx, paas.Release{Tenant: "default", App: "hello", Limits: paas.Limits{CPU: 2, Memory: 128 << 20, Disk: 16 << 20}})
		wantErr(t, err, nil)
		refused(t, s.SetCanary(ctx, "default", "hello", paas.Canary{Release: rel.Number, Share: 99}), "Tenant default would have 6 replicas")
		wantErr(t, s.SetCanary(ctx, "default", "hello", paas.Canary{Release: rel.Number, Share: 34}), nil) // ⌈1.02⌉ of 3
		wantUse := paas.Quota{Apps: 1, Replicas: 5, CPU: 5.5, Memory: 448 << 20, Disk: 32 << 20}
		if _, _, use, err := s.Quota(ctx, "default"); err != nil || use != wantUse {
			t.Errorf("got %+v, %v", use, err)
		}
		if asked, err := s.Asked(ctx); err != nil || len(asked) != 1 || asked[0].Replicas != 5 || asked[0].CPU != 5.5 || asked[0].Memory != 448<<20 {
			t.Errorf("over all tenants got %+v, %v", asked, err)
		}
		refused(t, s.SetCanary(ctx, "default", "hello", paas.Canary{Release: rel.Number, Share: 67}), "Tenant default would have 6 replicas")
		refused(t, s.SetDesired(ctx, "default", "hello", 4), "Tenant default would have 6 replicas")
		wantErr(t, s.EndCanary(ctx, "default", "hello", rel.Number, "It is over."), nil)
		wantErr(t, s.SetDesired(ctx, "default", "hello", 5), nil)
	})
	t.Run("takes the place of a canary as soon as it is accepted, and gives it back when that fails", func(t *testing.T) {
		wantErr(t, s.SetDesired(ctx, "default", "hello", 4), nil)
		trial := paas.Release{Tenant: "default", App: "hello", Share: 50, Limits: paas.Limits{CPU: 0.5, Memory: 64 << 20}}
		_, err := s.NewRelease(ctx, trial) // two beside four
		refused(t, err, "Tenant default would have 6 replicas, and its quota is 5.")
		trial.Share = 25
		first, err := s.NewRelease(ctx, trial)
		wantErr(t, err, nil)
		_, err = s.NewRelease(ctx, trial) // nothing has started, and yet there is no room for another
		refused(t, err, "Tenant default would have 6 replicas")
		first.State = paas.ReleaseFailed
		wantErr(t, s.UpdateRelease(ctx, first), nil)
		second, err := s.NewRelease(ctx, trial)
		wantErr(t, err, nil)
		wantErr(t, s.SetCanary(ctx, "default", "hello", paas.Canary{Release: second.Number, Share: 25}), nil)
		if _, _, use, err := s.Quota(ctx, "default"); err != nil || use.Replicas != 5 {
			t.Errorf("got %+v, %v", use, err)
		}
		wantErr(t, s.EndCanary(ctx, "default", "hello", second.Number, "It is over."), nil)
		wantErr(t, s.SetDesired(ctx, "default", "hello", 5), nil)
	})
	t.Run("refuses cores and memory, counted over the replicas", func(t *testing.T) {
		wantErr(t, s.SetQuota(ctx, "default", &paas.Quota{CPU: 3, Memory: 400 << 20}), nil)
		quota, own, use, err := s.Quota(ctx, "default")
		if err != nil || !own || quota.CPU != 3 || use != (paas.Quota{Apps: 1, Replicas: 5, CPU: 2.5, Memory: 320 << 20}) {
			t.Errorf("got %+v %t %+v, %v", quota, own, use, err)
		}
		if asked, err := s.Asked(ctx); err != nil || len(asked) != 1 || asked[0] != (paas.Asked{Tenant: "default", Apps: 1, Replicas: 5, CPU: 2.5, Memory: 320 << 20}) {
			t.Errorf("over all tenants got %+v, %v", asked, err)
		}
		refused(t, s.SetDesired(ctx, "default", "hello", 7), "The replicas of tenant default would have 3.5 cores, and its quota is 3.")
		wantErr(t, s.SetQuota(ctx, "default", &paas.Quota{Memory: 400 << 20}), nil)
		refused(t, s.SetDesired(ctx, "default", "hello", 7), "The replicas of tenant default would have 448 MiB of memory, and its quota is 400 MiB.")
		_, err = s.CreateApp(ctx, "default", "second")
		wantErr(t, err, nil)
		_, err = s.NewRelease(ctx, paas.Release{Tenant: "default", App: "second", Limits: paas.Limits{CPU: 1, Memory: 128 << 20}})
		refused(t, err, "The replicas of tenant default would have 448 MiB of memory")
		wantErr(t, s.DeleteApp(ctx, "default", "second"), nil)
		wantErr(t, s.SetQuota(ctx, "default", nil), nil)
	})
	t.Run("refuses disk, of replicas and of volumes", func(t *testing.T) {
		wantErr(t, s.SetQuota(ctx, "default", &paas.Quota{Disk: 100 << 20}), nil)
		wantErr(t, s.AddVolume(ctx, "default", "hello", paas.Volume{Path: "data", Size: 60 << 20}, 1<<30), nil)
		refused(t, s.AddVolume(ctx, "default", "hello", paas.Volume{Path: "more", Size: 60 << 20}, 1<<30),
			"Replicas, volumes and databases of tenant default would have 120 MiB of disk, and its quota is 100 MiB.")
		_, err := s.NewRelease(ctx, paas.Release{Tenant: "default", App: "hello", Limits: paas.Limits{Disk: 16 << 20}})
		wantErr(t, err, nil) // counts once it is live
		wantErr(t, s.RemoveVolume(ctx, "default", "hello", "data"), nil)
		wantErr(t, s.SetQuota(ctx, "default", nil), nil)
	})
	t.Run("refuses builds when their minutes are used up, for a day", func(t *testing.T) {
		wantErr(t, s.SetQuota(ctx, "default", &paas.Quota{BuildMinutes: 2}), nil)
		wantErr(t, s.CountBuild(ctx, "default", 90*time.Second), nil)
		wantErr(t, s.AllowBuild(ctx, "default"), nil)
		wantErr(t, s.CountBuild(ctx, "default", 45*time.Second), nil)
		refused(t, s.AllowBuild(ctx, "default"), "Builds of tenant default took 2.2 minutes in the last 24 hours, and its quota is 2.")
		if _, err := pool.Exec(ctx, `UPDATE build_use SET at = at - interval '1 day'`); err != nil {
			t.Fatal(err)
		}
		wantErr(t, s.AllowBuild(ctx, "default"), nil)
		wantErr(t, s.SetQuota(ctx, "default", nil), nil)
	})
	t.Run("gives the last place to one of many who ask at once", func(t *testing.T) {
		_, err := s.CreateApp(ctx, "default", "second")
		refused(t, err, "Tenant default would have 6 replicas") // hello has all five
		wantErr(t, s.SetDesired(ctx, "default", "hello", 1), nil)
		var made atomic.Int64
		var asking sync.WaitGroup
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			asking.Go(func() {
				if _, err := s.CreateApp(ctx, "default", name); err == nil {
					made.Add(1)
				} else {
					refused(t, err, "Tenant default has 3 of 3 apps.")
				}
			})
		}
		asking.Wait()
		if made.Load() != 2 {
			t.Errorf("%d apps were made", made.Load())
		}
	})
	t.Run("is refused where it is none, or for a tenant that is none", func(t *testing.T) {
		refused(t, s.SetQuota(ctx, "default", &paas.Quota{Apps: -1}), "a quota has no negative numbers")
		wantErr(t, s.SetQuota(ctx, "nobody", &paas.Quota{Apps: 1}), paas.ErrNotFound)
	})
	t.Run("that is lowered takes nothing away, and lets nothing grow", func(t *testing.T) {
		wantErr(t, s.SetQuota(ctx, "default", &paas.Quota{Apps: 1, Replicas: 2}), nil)
		refused(t, s.SetDesired(ctx, "default", "hello", 2), "Tenant default would have 4 replicas, and its quota is 2.")
		wantErr(t, s.SetDesired(ctx, "default", "hello", 0), nil)
	})
}
