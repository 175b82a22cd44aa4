package main

import (
	"context"

	"kurama/paas"
	"kurama/paas/auth"
)

// leftovers is what the builds of a tenant leave on the disk.
type leftovers interface {
	RemoveTenant(tenant string) error
}

// tenantsOf gives no tenant what the builds of an earlier one of its name left.
type tenantsOf struct {
	*auth.Auth
	builds leftovers
}

// CreateTenant is Auth.CreateTenant. A build that was under way may have left
// something since its tenant was removed, which goes now.
func (t tenantsOf) CreateTenant(ctx context.Context, name string) (paas.Tenant, error) {
	made, err := t.Auth.CreateTenant(ctx, name)
	if err != nil {
		return made, err
	}
	return made, t.builds.RemoveTenant(made.Name)
}

// DeleteTenant is Auth.DeleteTenant, and removes what its builds left.
func (t tenantsOf) DeleteTenant(ctx context.Context, name string) error {
	if err := t.Auth.DeleteTenant(ctx, name); err != nil {
		return err
	}
	return t.builds.RemoveTenant(name)
}
