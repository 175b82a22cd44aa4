package profile

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"kurama/logship/record"
)

// maxURL bounds the url that is kept of a slow request, bytes.
const maxURL = 1024

// slow is the slowest request of a cell; at is zero while there is none.
type slow struct {
	ms       float64
	at       time.Time
	req, url string
	status   int
}

// see takes a request whose duration is known.
func (s *slow) see(r *record.Record) {
	if !s.at.IsZero() && r.Dur.Value <= s.ms {
		return
	}
	url := r.URL
	if len(url) > maxURL {
		url = url[:maxURL]
	}
	*s = slow{ms: r.Dur.Value, at: r.Time, req: strings.Clone(text(r.Req)), url: strings.Clone(text(url)), status: r.Status}
}

// text makes s fit for Postgres.
func text(s string) string { return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\u2400"), "") }

// merge keeps the slower one.
func (s *slow) merge(other slow) {
	if !other.at.IsZero() && (s.at.IsZero() || other.ms > s.ms) {
		*s = other
	}
}

// columns returns the values of a row; nil where there is none.
func (s *slow) columns() (ms *float64, at *time.Time) {
	if s.at.IsZero() {
		return nil, nil
	}
	return &s.ms, &s.at
}

// slowOf makes a slow of a row's values.
func slowOf(ms *float64, at *time.Time, req, url string, status int) slow {
	if ms == nil || at == nil {
		return slow{}
	}
	return slow{ms: *ms, at: *at, req: req, url: url, status: status}
}

// SlowRequest is one of the slowest requests of an app.
type SlowRequest struct {
	At      time.Time `json:"at"` // when it ended
	Method  string    `json:"method"`
	Route   string    `json:"route"`
	URL     string    `json:"url"`
	Status  int       `json:"status"`
	Dur     float64   `json:"dur"` // ms
	Req     string    `json:"req"` // request id
	Release int       `json:"release"`
}

// Slowest returns the slowest requests of an app in the minutes that begin from
// from to to, at most limit and one of each route and minute, the slowest first.
func (q *Query) Slowest(ctx context.Context, tenant, app string, from, to time.Time, limit int) ([]SlowRequest, error) {
	rows, err := q.pool.Query(ctx, `SELECT slow_at, method, route, slow_url, slow_status, slow_ms, slow_req, release FROM rollups
		WHERE tenant = $1 AND app = $2 AND minute >= $3 AND minute <= $4 AND slow_ms IS NOT NULL ORDER BY slow_ms DESC, slow_at LIMIT $5`,
		tenant, app, from, to, limit)
	if err != nil {
		return nil, fmt.Errorf("reading the slowest requests of %s/%s: %w", tenant, app, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s SlowRequest, err error) {
		err = row.Scan(&s.At, &s.Method, &s.Route, &s.URL, &s.Status, &s.Dur, &s.Req, &s.Release)
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the slowest requests of %s/%s: %w", tenant, app, err)
	}
	return list, nil
}
