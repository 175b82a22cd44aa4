package main

import (
	"context"
	"time"

	"kurama/paas"
	"kurama/services/persist"
	"kurama/services/profile"
)

// releaseFigures joins what profile and persist stored of a release.
type releaseFigures struct {
	rollups *profile.Query
	records *persist.Query
}

// Figures returns how a release did.
func (q releaseFigures) Figures(ctx context.Context, tenant, app string, release int, from, to, warm time.Time) (paas.ReleaseFigures, error) {
	f, err := q.rollups.Release(ctx, tenant, app, release, from, to, warm)
	if err != nil || f.From.IsZero() {
		return f, err
	}
	f.Memory, err = q.records.Memory(ctx, tenant, app, release, f.From, f.To)
	return f, err
}
