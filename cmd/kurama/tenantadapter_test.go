package main

import (
	"errors"
	"slices"
	"testing"

	"kurama/internal/config"
	"kurama/internal/postgres/pgtest"
	"kurama/paas"
	"kurama/paas/auth"
)

// cleared notes of whom what builds left was removed.
type cleared []string

func (c *cleared) RemoveTenant(tenant string) error {
	*c = append(*c, tenant)
	return nil
}

func TestWhatATenantsBuildsLeftGoesToNobody(t *testing.T) {
	var gone cleared
	a := tenantsOf{auth.New(config.Default().Console, pgtest.New(t)), &gone}
	if _, err := a.CreateTenant(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.CreateTenant(t.Context(), "acme"); !errors.Is(err, paas.ErrExists) || len(gone) != 1 {
		t.Errorf("one that exists: %v, removed of %v", err, gone)
	}
	if err := a.DeleteTenant(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	if err := a.DeleteTenant(t.Context(), "acme"); !errors.Is(err, paas.ErrNotFound) || !slices.Equal(gone, []string{"acme", "acme"}) {
		t.Errorf("one that is gone: %v, removed of %v", err, gone)
	}
}
