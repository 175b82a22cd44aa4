package main

import (
	"context"
	"time"

	"kurama/logship/record"
	"kurama/paas"
	"kurama/paas/deploy"
	"kurama/paas/store"
	"kurama/services/persist"
)

// localWatch looks at an app from within the platform.
func localWatch(apps *store.Store, d *deploy.Deployer, logs *persist.Query, tenant, app string) *appWatch {
	return &appWatch{
		replicas: func(ctx context.Context) (wanted, ready float64, err error) {
			a, err := apps.App(paas.ForTenant(ctx, tenant), tenant, app)
			for _, r := range d.Replicas(tenant, app) {
				if r.State == paas.ReplicaHealthy {
					ready++
				}
			}
			return float64(a.Desired), ready, err
		},
		samples: func(ctx context.Context, from time.Time) ([]record.Record, error) {
			found, _, err := logs.Logs(paas.ForTenant(ctx, tenant), persist.Filter{Tenant: tenant, App: app, Kinds: []record.Kind{record.KindSample}, From: from, Limit: 100})
			return found, err
		},
	}
}
