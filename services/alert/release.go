package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"kurama/paas"
)

const (
	kindRelease         = "release"
	maxReleaseReceivers = 10 // of one app
)

// toldRelease is what a webhook gets of a release beside the sentences. Fields
// are added, never changed, within a version of hookBody.
type toldRelease struct {
	Number       int               `json:"number"`
	State        paas.ReleaseState `json:"state"`                 // live or failed
	RolledBack   string            `json:"rolled_back,omitempty"` // why Kurama takes this live release back by itself
	Reason       string            `json:"reason,omitempty"`
	RollbackOf   int               `json:"rollback_of,omitempty"`
	CreatedBy    string            `json:"created_by"`
	SourceDigest string            `json:"source_digest"`
	URL          string            `json:"url"` // of its page
}

// ReleaseReceivers returns who is told of an app's releases.
func (s *Rules) ReleaseReceivers(ctx context.Context, tenant, app string) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT receiver FROM release_receivers WHERE tenant=$1 AND app=$2 ORDER BY created_at, receiver`, tenant, app)
	if err != nil {
		return nil, fmt.Errorf("listing who is told of releases of %s: %w", app, err)
	}
	list, err := pgx.AppendRows([]string{}, rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("listing who is told of releases of %s: %w", app, err)
	}
	return list, nil
}

// SetReleaseReceivers says who is told of an app's releases from now on.
// Errors: *paas.Invalid; paas.ErrNotFound where there is no such app.
func (s *Rules) SetReleaseReceivers(ctx context.Context, tenant, app, by string, receivers []string) error {
	var checked []string
	for _, text := range receivers {
		r, err := CheckReceiver(text)
		if err != nil {
			return err
		}
		if !slices.Contains(checked, r) {
			checked = append(checked, r)
		}
	}
	if len(checked) > maxReleaseReceivers {
		return &paas.Invalid{Reason: fmt.Sprintf("%d receivers are too many: an app can have %d.", len(checked), maxReleaseReceivers)}
	}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM release_receivers WHERE tenant=$1 AND app=$2 AND receiver <> ALL($3)`, tenant, app, append([]string{}, checked...)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO release_receivers (tenant, app, receiver, created_by) SELECT $1, $2, unnest($3::text[]), $4 ON CONFLICT DO NOTHING`,
			tenant, app, checked, by)
		return err
	})
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == foreignKey {
		return fmt.Errorf("app %s: %w", app, paas.ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("storing who is told of releases of %s: %w", app, err)
	}
	return nil
}

// TellRelease queues a message about a release that is live, has failed or is taken back, for
// each of the app's receivers. Beyond the messages per hour, which are counted
// apart from those of alerts, it is stored as suppressed.
func (s *Rules) TellRelease(ctx context.Context, r paas.Release) error {
	receivers, err := s.ReleaseReceivers(ctx, r.Tenant, r.App)
	if err != nil || len(receivers) == 0 {
		return err
	}
	told := toldRelease{Number: r.Number, State: r.State, RolledBack: r.RolledBack, Reason: r.Reason, RollbackOf: r.RollbackOf, CreatedBy: r.CreatedBy, SourceDigest: r.SourceDigest,
		URL: fmt.Sprintf("%s/#/apps/%s/releases/%d", s.consoleURL, r.App, r.Number)}
	data, err := json.Marshal(told)
	if err != nil {
		return fmt.Errorf("telling of release %d of %s: %w", r.Number, r.App, err)
	}
	short, what := "is live", "is live."
	switch {
	case r.RolledBack != "":
		short, what = "is taken back", "is taken back. "+r.RolledBack
	case r.State == paas.ReleaseFailed:
		short, what = "failed", "failed: "+r.Reason
	}
	subject := fmt.Sprintf("%s: release %d %s", r.App, r.Number, short)
	text := fmt.Sprintf("Release %d of %s, made by %s, %s\n%s\n", r.Number, r.App, r.CreatedBy, what, told.URL)
	for _, receiver := range receivers {
		if _, err := s.pool.Exec(ctx, `INSERT INTO notifications (id, tenant, app, kind, recipient, subject, body_text, body_html, release, state)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9, CASE WHEN $11 > (SELECT count(*) FROM notifications
				WHERE tenant=$2 AND app=$3 AND kind=$4 AND state <> $10 AND created_at > now() - interval '1 hour') THEN 'pending' ELSE $10 END)`, newID(), r.Tenant, r.App, kindRelease, receiver, subject, text, "<pre>"+html.EscapeString(text)+"</pre>", data,
			stateSuppressed, s.perHour); err != nil {
			return fmt.Errorf("telling of release %d of %s: %w", r.Number, r.App, err)
		}
	}
	return nil
}
