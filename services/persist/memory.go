package persist

import (
	"context"
	"fmt"
	"time"

	"kurama/paas"
)

// Memory returns how full the memory of a release's replicas was from from to to.
func (q *Query) Memory(ctx context.Context, tenant, app string, release int, from, to time.Time) (paas.MemoryFigures, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	var f paas.MemoryFigures
	// 3 is record.KindSample; the index records_few has samples and events alone.
	err := q.pool.QueryRow(ctx, `SELECT count(mem), coalesce(avg(mem), 0), coalesce(max(mem), 0)::float8 FROM records
		WHERE tenant = $1 AND app = $2 AND release = $3 AND ts >= $4 AND ts < $5 AND kind = 3 AND kind IN (3, 4) AND replica <> 'router'`,
		tenant, app, release, from, to).Scan(&f.Samples, &f.Mean, &f.Peak)
	if err != nil {
		return f, fmt.Errorf("reading the memory of release %d of %s/%s: %w", release, tenant, app, err)
	}
	return f, nil
}
