package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"kurama/paas"
)

// AppendBuildLog adds one line to the build log of a release.
func (s *Store) AppendBuildLog(ctx context.Context, tenant, app string, release int, step, line string) error {
	for {
		_, err := s.pool.Exec(ctx, `INSERT INTO build_log (tenant, app, release, n, step, line)
			SELECT $1, $2, $3, coalesce(max(n), 0) + 1, $4, $5 FROM build_log
			WHERE tenant = $1 AND app = $2 AND release = $3`, tenant, app, release, step, text(line))
		// Two writers may take the same number; the loser takes the next.
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == uniqueViolation {
			continue
		}
		return meaning(err, "build log of "+releaseName(tenant, app, release))
	}
}

// BuildLog returns the lines of a release's build log with a number above
// after, in order.
func (s *Store) BuildLog(ctx context.Context, tenant, app string, release, after int) ([]paas.BuildLine, error) {
	lines, err := all(ctx, s.pool, func(row pgx.CollectableRow) (l paas.BuildLine, err error) {
		err = row.Scan(&l.N, &l.At, &l.Step, &l.Line)
		return l, err
	}, `SELECT n, at, step, line FROM build_log
		WHERE tenant = $1 AND app = $2 AND release = $3 AND n > $4 ORDER BY n`, tenant, app, release, after)
	return lines, meaning(err, "build log of "+releaseName(tenant, app, release))
}
