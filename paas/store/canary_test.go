package store_test

import (
	"errors"
	"strings"
	"testing"

	"kurama/paas"
)

func TestCanary(t *testing.T) {
	s, _ := setup(t)
	ctx := t.Context()
	release := func() int {
		t.Helper()
		r, err := s.NewRelease(ctx, paas.Release{Tenant: "default", App: "hello"})
		wantErr(t, err, nil)
		return r.Number
	}
	set := func(number, share int) error {
		return s.SetCanary(ctx, "default", "hello", paas.Canary{Release: number, Share: share})
	}
	is := func(t *testing.T, number int, state paas.ReleaseState, canary paas.Canary) {
		t.Helper()
		r, err := s.Release(ctx, "default", "hello", number)
		wantErr(t, err, nil)
		if a, err := s.App(ctx, "default", "hello"); err != nil || r.State != state || a.Canary != canary {
			t.Errorf("release %d is %s and the canary %+v, %v", number, r.State, a.Canary, err)
		}
	}
	refused := func(t *testing.T, err error, says string) {
		t.Helper()
		if bad, ok := errors.AsType[*paas.Invalid](err); !ok || !strings.Contains(bad.Reason, says) {
			t.Errorf("got %v, not %q", err, says)
		}
	}
	live := release()
	wantErr(t, s.SetLive(ctx, "default", "hello", live), nil)

	t.Run("gets a share, and another one", func(t *testing.T) {
		trial := release()
		wantErr(t, set(trial, 10), nil)
		wantErr(t, set(trial, 50), nil)
		is(t, trial, paas.ReleaseCanary, paas.Canary{Release: trial, Share: 50})
		wantErr(t, set(release(), 10), paas.ErrConflict)
	})
	t.Run("that was ended gets no share, and does not go live", func(t *testing.T) {
		a, err := s.App(ctx, "default", "hello")
		wantErr(t, err, nil)
		trial := a.Canary.Release
		wantErr(t, s.EndCanary(ctx, "default", "hello", trial, "ann ended this canary."), nil)
		refused(t, set(trial, 20), "it is failed")
		refused(t, s.SetLive(ctx, "default", "hello", trial), "ended before it went live: ann ended this canary.")
		is(t, trial, paas.ReleaseFailed, paas.Canary{})
	})
	t.Run("that is another by now is not ended", func(t *testing.T) {
		trial := release()
		wantErr(t, set(trial, 10), nil)
		wantErr(t, s.EndCanary(ctx, "default", "hello", trial-1, "It was slow."), paas.ErrNotFound)
		is(t, trial, paas.ReleaseCanary, paas.Canary{Release: trial, Share: 10})
		if r, err := s.Release(ctx, "default", "hello", trial); err != nil || r.CanaryAt == nil || r.LiveAt != nil {
			t.Errorf("%+v, %v", r, err)
		}
		wantErr(t, s.EndCanary(ctx, "default", "hello", trial, "It is over."), nil)
	})
	t.Run("that went live gets no share", func(t *testing.T) {
		trial := release()
		wantErr(t, set(trial, 10), nil)
		wantErr(t, s.SetLive(ctx, "default", "hello", trial), nil)
		refused(t, set(trial, 20), "it is live")
		is(t, trial, paas.ReleaseLive, paas.Canary{})
	})
	t.Run("is none below the live release", func(t *testing.T) {
		late, next := release(), release()
		wantErr(t, s.SetLive(ctx, "default", "hello", next), nil)
		wantErr(t, set(late, 10), paas.ErrConflict)
		is(t, late, paas.ReleaseBuilding, paas.Canary{})
		wantErr(t, set(next+1, 10), paas.ErrNotFound)
	})
}
