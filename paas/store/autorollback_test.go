package store_test

import (
	"errors"
	"testing"

	"kurama/paas"
)

func TestAutoRollback(t *testing.T) {
	s, _ := setup(t)
	ctx := t.Context()
	policy := func() paas.AutoRollback {
		t.Helper()
		a, err := s.App(ctx, "default", "hello")
		wantErr(t, err, nil)
		return a.Rollback.Full()
	}
	on, tenfold, much := true, 10.0, 1000.0
	if got := policy(); got != paas.DefaultAutoRollback() {
		t.Errorf("at first %+v", got)
	}
	wantErr(t, s.SetAutoRollback(ctx, "default", "hello", paas.AutoRollbackChange{Auto: &on}), nil)
	wantErr(t, s.SetAutoRollback(ctx, "default", "hello", paas.AutoRollbackChange{P95: &tenfold}), nil)
	if got, want := policy(), (paas.AutoRollback{Auto: true, Within: 600, Errors: 5, P95: 10, Memory: 25}); got != want {
		t.Errorf("got %+v", got)
	}
	if _, ok := errors.AsType[*paas.Invalid](s.SetAutoRollback(ctx, "default", "hello", paas.AutoRollbackChange{P95: &much})); !ok {
		t.Error("a thousandfold p95 is taken")
	}
	wantErr(t, s.SetAutoRollback(ctx, "default", "nosuch", paas.AutoRollbackChange{Auto: &on}), paas.ErrNotFound)

	for range 2 {
		r, err := s.NewRelease(ctx, paas.Release{Tenant: "default", App: "hello"})
		wantErr(t, err, nil)
		wantErr(t, s.SetLive(ctx, "default", "hello", r.Number), nil)
	}
	wantErr(t, s.TakeBack(ctx, "default", "hello", 1, "It was slow."), paas.ErrConflict) // no longer live
	wantErr(t, s.TakeBack(ctx, "default", "hello", 2, "It was slow."), nil)
	wantErr(t, s.TakeBack(ctx, "default", "hello", 2, "It was slow again."), paas.ErrConflict)
	if r, err := s.Release(ctx, "default", "hello", 2); err != nil || r.RolledBack != "It was slow." || r.State != paas.ReleaseLive {
		t.Errorf("%+v, %v", r, err)
	}
}
