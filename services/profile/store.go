package profile

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// keyColumns are the keys of a flush, column by column.
type keyColumns struct {
	minutes  []time.Time
	tenants  []string
	apps     []string
	releases []int32
	methods  []string
	routes   []string
}

func (c *keyColumns) args() []any {
	return []any{c.minutes, c.tenants, c.apps, c.releases, c.methods, c.routes}
}

func columnsOf(keys []key) *keyColumns {
	c := &keyColumns{}
	for _, k := range keys {
		c.minutes = append(c.minutes, time.Unix(k.minute, 0).UTC())
		c.tenants, c.apps = append(c.tenants, k.tenant), append(c.apps, k.app)
		c.releases = append(c.releases, k.release)
		c.methods, c.routes = append(c.methods, k.method), append(c.routes, k.route)
	}
	return c
}

const unnestKeys = `unnest($1::timestamptz[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[])`

// merge adds cells to the rows of rollups. Minutes that were stored before are
// read, merged and written again: late requests count like the others.
func merge(ctx context.Context, tx pgx.Tx, cells map[key]*cell, log *slog.Logger) error {
	if len(cells) == 0 {
		return nil
	}
	keys := slices.SortedFunc(maps.Keys(cells), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.minute, b.minute), cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.app, b.app),
			cmp.Compare(a.release, b.release), cmp.Compare(a.method, b.method), cmp.Compare(a.route, b.route))
	})
	columns := columnsOf(keys)
	if err := readStored(ctx, tx, cells, columns, log); err != nil {
		return err
	}
	return writeCells(ctx, tx, cells, keys, columns)
}

func readStored(ctx context.Context, tx pgx.Tx, cells map[key]*cell, columns *keyColumns, log *slog.Logger) error {
	rows, err := tx.Query(ctx, `SELECT r.minute, r.tenant, r.app, r.release, r.method, r.route,
			r.requests, r.errors, r.dur_sum, r.cpu_sum, r.cpu_count, r.db_sum, r.bytes_sum, r.bytes_count, r.sketch, r.slow_ms, r.slow_at, r.slow_req, r.slow_url, r.slow_status
		FROM `+unnestKeys+` AS k(minute, tenant, app, release, method, route)
		JOIN rollups r USING (minute, tenant, app, release, method, route)`, columns.args()...)
	if err != nil {
		return fmt.Errorf("reading stored rollups: %w", err)
	}
	var (
		k      key
		minute time.Time
		stored cell
		sketch []byte
		slowMs *float64
		slowAt *time.Time
	)
	_, err = pgx.ForEachRow(rows, []any{&minute, &k.tenant, &k.app, &k.release, &k.method, &k.route,
		&stored.requests, &stored.errors, &stored.durSum, &stored.cpuSum, &stored.cpuCount, &stored.dbSum, &stored.bytesSum, &stored.bytesCount, &sketch,
		&slowMs, &slowAt, &stored.slow.req, &stored.slow.url, &stored.slow.status}, func() error {
		k.minute = minute.Unix()
		stored.slow = slowOf(slowMs, slowAt, stored.slow.req, stored.slow.url, stored.slow.status)
		if err := cells[k].mergeStored(&stored, sketch); err != nil {
			log.Warn("a stored sketch cannot be read; its durations are left out", "minute", minute, "tenant", k.tenant,
				"app", k.app, "route", k.route, "error", err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading stored rollups: %w", err)
	}
	return nil
}

func writeCells(ctx context.Context, tx pgx.Tx, cells map[key]*cell, keys []key, columns *keyColumns) error {
	n := len(keys)
	requests, failed, cpuCounts := make([]int64, n), make([]int64, n), make([]int64, n)
	durSums, cpuSums, sketches := make([]float64, n), make([]float64, n), make([][]byte, n)
	dbSums, bytesSums, bytesCounts := make([]float64, n), make([]float64, n), make([]int64, n)
	slowMs, slowAts, slowStatus := make([]*float64, n), make([]*time.Time, n), make([]int32, n)
	slowReqs, slowURLs := make([]string, n), make([]string, n)
	for i, k := range keys {
		c := cells[k]
		slowMs[i], slowAts[i] = c.slow.columns()
		slowReqs[i], slowURLs[i], slowStatus[i] = c.slow.req, c.slow.url, int32(c.slow.status)
		requests[i], failed[i], cpuCounts[i] = c.requests, c.errors, c.cpuCount
		durSums[i], cpuSums[i], sketches[i] = c.durSum, c.cpuSum, c.encoded()
		dbSums[i], bytesSums[i], bytesCounts[i] = c.dbSum, c.bytesSum, c.bytesCount
	}
	_, err := tx.Exec(ctx, `INSERT INTO rollups (minute, tenant, app, release, method, route, requests, errors, dur_sum, cpu_sum, cpu_count, sketch,
			slow_ms, slow_at, slow_req, slow_url, slow_status, db_sum, bytes_sum, bytes_count)
		SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[],
			$7::bigint[], $8::bigint[], $9::float8[], $10::float8[], $11::bigint[], $12::bytea[],
			$13::float8[], $14::timestamptz[], $15::text[], $16::text[], $17::int[],
			$18::float8[], $19::float8[], $20::bigint[])
		ON CONFLICT (tenant, app, minute, release, method, route) DO UPDATE SET
			requests = EXCLUDED.requests, errors = EXCLUDED.errors, dur_sum = EXCLUDED.dur_sum,
			cpu_sum = EXCLUDED.cpu_sum, cpu_count = EXCLUDED.cpu_count, sketch = EXCLUDED.sketch,
			slow_ms = EXCLUDED.slow_ms, slow_at = EXCLUDED.slow_at, slow_req = EXCLUDED.slow_req, slow_url = EXCLUDED.slow_url, slow_status = EXCLUDED.slow_status,
			db_sum = EXCLUDED.db_sum, bytes_sum = EXCLUDED.bytes_sum, bytes_count = EXCLUDED.bytes_count`,
		append(columns.args(), requests, failed, durSums, cpuSums, cpuCounts, sketches, slowMs, slowAts, slowReqs, slowURLs, slowStatus, dbSums, bytesSums, bytesCounts)...)
	if err != nil {
		return fmt.Errorf("writing %d rollups: %w", n, err)
	}
	return nil
}
