package persist

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"kurama/logship/record"
	"kurama/paas"
)

// maxPoints bounds one history.
const maxPoints = 5000

// Point is one step of an app's history. Figures that nothing was measured
// for are unknown.
type Point struct {
	At                   time.Time // begin of the step
	Requests             int64
	S2, S3, S4, S5       int64         // requests by class of status
	P50, P95, P99        record.Number // milliseconds
	CPU, Mem, Disk, Swap record.Number // percent, mean over the replicas' samples
}

// Points returns the history of an app from from to to in steps of step, oldest
// first; steps in which nothing was stored are left out. Tenant and app both
// empty: the host's figures. More than 5000 steps are a *paas.Invalid.
func (q *Query) Points(ctx context.Context, tenant, app string, from, to time.Time, step time.Duration) ([]Point, error) {
	if step < time.Second || to.Sub(from)/step > maxPoints {
		return nil, &paas.Invalid{Reason: fmt.Sprintf("%s in steps of %s are too many points: at most %d, of at least 1 s.", to.Sub(from), step, maxPoints)}
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	rows, err := q.pool.Query(ctx, pointsSQL, tenant, app, from, to, step,
		int16(record.KindRequest), int16(record.KindSample))
	if err != nil {
		return nil, fmt.Errorf("reading the history of %s/%s: %w", tenant, app, err)
	}
	points, err := pgx.CollectRows(rows, scanPoint)
	if err != nil {
		return nil, fmt.Errorf("reading the history of %s/%s: %w", tenant, app, err)
	}
	return points, nil
}

const pointsSQL = `SELECT date_bin($5::interval, ts, $3::timestamptz) AS at,
	count(*) FILTER (WHERE kind = $6),
	count(*) FILTER (WHERE kind = $6 AND status BETWEEN 200 AND 299),
	count(*) FILTER (WHERE kind = $6 AND status BETWEEN 300 AND 399),
	count(*) FILTER (WHERE kind = $6 AND status BETWEEN 400 AND 499),
	count(*) FILTER (WHERE kind = $6 AND status BETWEEN 500 AND 599),
	percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY dur) FILTER (WHERE kind = $6),
	avg(cpu) FILTER (WHERE kind = $7), avg(mem) FILTER (WHERE kind = $7),
	avg(disk) FILTER (WHERE kind = $7), avg(swap) FILTER (WHERE kind = $7)
	FROM records WHERE tenant = $1 AND app = $2 AND ts >= $3 AND ts < $4 AND kind IN ($6, $7)
	GROUP BY at ORDER BY at`

func scanPoint(row pgx.CollectableRow) (Point, error) {
	var (
		p         Point
		quantiles []*float64
		figures   [4]*float64
	)
	err := row.Scan(&p.At, &p.Requests, &p.S2, &p.S3, &p.S4, &p.S5, &quantiles, &figures[0], &figures[1], &figures[2], &figures[3])
	if err != nil {
		return p, err
	}
	p.At = p.At.UTC()
	for i, n := range []*record.Number{&p.CPU, &p.Mem, &p.Disk, &p.Swap} {
		*n = known(figures[i])
	}
	if len(quantiles) == 3 {
		p.P50, p.P95, p.P99 = known(quantiles[0]), known(quantiles[1]), known(quantiles[2])
	}
	return p, nil
}

func known(v *float64) record.Number {
	if v == nil {
		return record.Number{}
	}
	return record.Num(*v)
}
