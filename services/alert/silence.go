package alert

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"kurama/paas"
)

const (
	maxSilence  = 30 * 24 * time.Hour
	maxSilences = 50 // of an app at a time
)

// Silence is a span in which nobody is told of what an app's alerts do. They
// are evaluated all the same.
type Silence struct {
	ID        string
	Tenant    string
	App       string
	Rule      string // empty: all of the app's
	StartsAt  time.Time
	EndsAt    time.Time
	Comment   string
	CreatedBy string
}

// covers reports whether the silence holds for a rule at t.
func (s *Silence) covers(r Rule, t time.Time) bool {
	return s.Tenant == r.Tenant && s.App == r.App && (s.Rule == "" || s.Rule == r.ID) && !t.Before(s.StartsAt) && t.Before(s.EndsAt)
}

const silenceColumns = "id::text, tenant, app, coalesce(rule::text, ''), starts_at, ends_at, comment, created_by"

func scanSilence(row pgx.CollectableRow) (s Silence, err error) {
	err = row.Scan(&s.ID, &s.Tenant, &s.App, &s.Rule, &s.StartsAt, &s.EndsAt, &s.Comment, &s.CreatedBy)
	return s, err
}

// Silences returns the silences of an app that are not over, the first to end
// first.
func (s *Rules) Silences(ctx context.Context, tenant, app string) ([]Silence, error) {
	rows, err := s.pool.Query(ctx, "SELECT "+silenceColumns+" FROM alert_silences WHERE tenant=$1 AND app=$2 AND ends_at > now() ORDER BY ends_at, id", tenant, app)
	if err != nil {
		return nil, fmt.Errorf("listing the silences of %s: %w", app, err)
	}
	list, err := pgx.CollectRows(rows, scanSilence)
	if err != nil {
		return nil, fmt.Errorf("listing the silences of %s: %w", app, err)
	}
	return list, nil
}

// Silence adds a silence and returns it as stored. A zero StartsAt is now.
// Errors: *paas.Invalid; paas.ErrNotFound where there is no such app or rule.
func (s *Rules) Silence(ctx context.Context, in Silence) (Silence, error) {
	now := time.Now()
	if in.StartsAt.IsZero() {
		in.StartsAt = now
	}
	if d := in.EndsAt.Sub(in.StartsAt); d <= 0 || d > maxSilence || in.EndsAt.Before(now) {
		return in, &paas.Invalid{Reason: fmt.Sprintf("A silence from %s to %s is not possible: it must end after now and its start, within 30 days.",
			in.StartsAt.UTC().Format(time.RFC3339), in.EndsAt.UTC().Format(time.RFC3339))}
	}
	present, err := s.Silences(ctx, in.Tenant, in.App)
	if err != nil {
		return in, err
	}
	if len(present) >= maxSilences {
		return in, &paas.Invalid{Reason: fmt.Sprintf("The app %s has %d silences, and that is the most: end one first.", in.App, len(present))}
	}
	if in.Rule != "" {
		var exists bool
		err := s.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM alert_rules WHERE id::text=$1 AND tenant=$2 AND app=$3)", in.Rule, in.Tenant, in.App).Scan(&exists)
		if err != nil || !exists {
			return in, errors.Join(err, fmt.Errorf("alert %s: %w", in.Rule, paas.ErrNotFound))
		}
	}
	rows, err := s.pool.Query(ctx, `INSERT INTO alert_silences (id, tenant, app, rule, starts_at, ends_at, comment, created_by)
		VALUES ($1,$2,$3,nullif($4,'')::uuid,$5,$6,$7,$8) RETURNING `+silenceColumns,
		newID(), in.Tenant, in.App, in.Rule, in.StartsAt, in.EndsAt, cut(in.Comment, 300), in.CreatedBy)
	if err != nil {
		return in, fmt.Errorf("silencing %s: %w", in.App, err)
	}
	added, err := pgx.CollectExactlyOneRow(rows, scanSilence)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == foreignKey {
		return in, fmt.Errorf("app %s: %w", in.App, paas.ErrNotFound)
	}
	return added, err
}

// EndSilence ends a silence now. Errors: paas.ErrNotFound.
func (s *Rules) EndSilence(ctx context.Context, tenant, app, id string) error {
	tag, err := s.pool.Exec(ctx, "DELETE FROM alert_silences WHERE id::text=$1 AND tenant=$2 AND app=$3", id, tenant, app)
	if err != nil {
		return fmt.Errorf("ending silence %s: %w", id, err)
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("silence %s: %w", id, paas.ErrNotFound)
	}
	return nil
}

// loadSilences reads those that are not over.
func (w *watcher) loadSilences(ctx context.Context) error {
	rows, err := w.opts.Pool.Query(ctx, "SELECT "+silenceColumns+" FROM alert_silences WHERE ends_at > now() - interval '1 hour'")
	if err != nil {
		return fmt.Errorf("reading the silences: %w", err)
	}
	if w.silences, err = pgx.CollectRows(rows, scanSilence); err != nil {
		return fmt.Errorf("reading the silences: %w", err)
	}
	return nil
}

// silenced reports whether nobody is to be told of a rule at t.
func (w *watcher) silenced(r Rule, t time.Time) bool {
	for i := range w.silences {
		if w.silences[i].covers(r, t) {
			return true
		}
	}
	return false
}
