package disk

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"kurama/paas"
)

// Keeper knows what only the deployer and the engine know, and collects.
type Keeper interface {
	// Layers returns the layers that each tenant's kept releases need.
	Layers(ctx context.Context) (map[string]map[string]bool, error)
	// Output returns the bytes that the engine keeps of the replicas' output.
	Output(ctx context.Context) (map[string]int64, error)
	// Databases returns the bytes that the databases of each tenant hold.
	Databases(ctx context.Context) (map[string]int64, error)
	// Spare returns the bytes that Collect would free.
	Spare(ctx context.Context) (int64, error)
	Collect(ctx context.Context) error
}

// With lets the guard collect by k, and count what k knows of. It is called
// before anything else; it returns g.
func (g *Guard) With(k Keeper) *Guard {
	g.keep = k
	return g
}

// Collect removes what nobody needs and returns the bytes that were freed.
func (g *Guard) Collect(ctx context.Context) (freed int64, err error) {
	if g.keep == nil {
		return 0, nil
	}
	before, _, err := space(g.data)
	if err != nil {
		return 0, err
	}
	err = g.keep.Collect(ctx)
	after, _, spaceErr := space(g.data)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.at = time.Time{} // the report is out of date
	return max(0, after-before), errors.Join(err, spaceErr)
}

// relieve collects while the disk is low.
func (g *Guard) relieve(ctx context.Context) {
	freed, err := g.Collect(ctx)
	if err != nil && ctx.Err() == nil {
		g.log.Error("what nobody needs stays on the disk", "error", err)
	}
	g.log.Info("what nobody needs was collected, as the disk gets full", "freed", mebibytes(freed))
}

// kept adds what only the keeper knows.
func (g *Guard) kept(ctx context.Context, r *paas.DiskReport, uses map[string]*paas.DiskUse) error {
	if g.keep == nil {
		return nil
	}
	of := func(tenant string) *paas.DiskUse {
		if uses[tenant] == nil {
			uses[tenant] = &paas.DiskUse{Tenant: tenant}
		}
		return uses[tenant]
	}
	layers, err := g.keep.Layers(ctx)
	if err != nil {
		return err
	}
	sizes := map[string]int64{}
	for tenant, keys := range layers {
		for key := range keys {
			if _, known := sizes[key]; !known {
				if sizes[key], err = taken(ctx, filepath.Join(g.data, "layers", key)); err != nil {
					return err
				}
			}
			of(tenant).Layers += sizes[key]
		}
	}
	output, err := g.keep.Output(ctx)
	if err != nil {
		return err
	}
	for tenant, bytes := range output {
		of(tenant).Output += bytes
		of(tenant).Total += bytes
	}
	databases, err := g.keep.Databases(ctx)
	if err != nil {
		return err
	}
	for tenant, bytes := range databases {
		of(tenant).Databases += bytes
		of(tenant).Total += bytes
		r.Shared[databasesName] = max(0, r.Shared[databasesName]-bytes)
	}
	r.Spare, err = g.keep.Spare(ctx)
	return err
}
