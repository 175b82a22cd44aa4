package alert

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// What messages are joined by; alert.group_by.
const (
	groupByTenant = "tenant"
	groupByRule   = "rule" // not at all
)

// group names the messages that a message about a rule may leave with; empty
// for none. A webhook that is no person's gets each alert by itself.
func (w *watcher) group(r Rule) string {
	hook, isHook := hookOf(r.Receiver)
	if w.cfg.GroupBy == groupByRule || isHook && !hook.slack {
		return ""
	}
	if w.cfg.GroupBy == groupByTenant {
		return strings.Join([]string{r.Tenant, "", r.Receiver}, " ")
	}
	return strings.Join([]string{r.Tenant, r.App, r.Receiver}, " ")
}

// queue adds the row of a message. It waits for others of its group; beyond
// the messages per hour the row says that it is suppressed, and the next
// message says how many were.
func (w *watcher) queue(ctx context.Context, tx pgx.Tx, m mailOut) error {
	rule := m.running.rule
	var exists bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM alert_rules WHERE id::text=$1)", rule.ID).Scan(&exists); err != nil || !exists {
		return err // a rule that was just removed tells nobody
	}
	in := place{state: statePendingMail, at: w.opts.Now(), group: w.group(rule)}
	joins, err := w.due(ctx, tx, &in)
	if err != nil {
		return err
	}
	if !joins {
		if err := w.bound(ctx, tx, &m, &in); err != nil {
			return err
		}
	}
	write := firingMessage
	if m.kind == kindResolved {
		write = resolvedMessage
	}
	return insertNotification(ctx, tx, rule, write(m.notice), in)
}

// due finds out when a message leaves, and whether one of its group waits
// already: with that, group_wait after it was queued, at the earliest
// group_interval after the last one left.
func (w *watcher) due(ctx context.Context, tx pgx.Tx, in *place) (joins bool, err error) {
	if in.due = in.at; in.group == "" {
		return false, nil
	}
	var waits, last *time.Time
	err = tx.QueryRow(ctx, `SELECT min(next_at) FILTER (WHERE state = 'pending' AND attempts = 0),
			max(coalesce(sent_at, next_at)) FILTER (WHERE state NOT IN ('suppressed','grouped') AND (state <> 'pending' OR attempts > 0))
		FROM notifications WHERE grp = $1 AND created_at > $2`, in.group, in.at.Add(-w.cfg.GroupInterval-w.cfg.GiveUp)).Scan(&waits, &last)
	if waits != nil {
		in.due = *waits
		return true, err
	}
	in.due = in.at.Add(w.cfg.GroupWait)
	if last != nil && last.Add(w.cfg.GroupInterval).Before(in.at.Add(w.cfg.GroupInterval)) {
		in.due = latest(in.due, last.Add(w.cfg.GroupInterval))
	}
	return false, err
}

// bound suppresses a message beyond those per hour, and tells the next one how
// many were.
func (w *watcher) bound(ctx context.Context, tx pgx.Tx, m *mailOut, in *place) error {
	var sent int
	key := []any{m.running.rule.Tenant, m.running.rule.App}
	if err := tx.QueryRow(ctx, `SELECT count(DISTINCT CASE WHEN state = 'pending' AND attempts = 0 THEN coalesce(grp, id::text) ELSE id::text END)
		FROM notifications WHERE tenant=$1 AND app=$2 AND kind IN ('firing','resolved') AND state NOT IN ('suppressed','grouped') AND created_at > $3`,
		append(key, in.at.Add(-time.Hour))...).Scan(&sent); err != nil {
		return err
	}
	if sent >= w.cfg.PerHour {
		in.state = stateSuppressed
		return nil
	}
	return tx.QueryRow(ctx, `SELECT count(*) FROM notifications n WHERE tenant=$1 AND app=$2 AND state='suppressed' AND kind <> 'release'
		AND id > coalesce((SELECT id FROM notifications WHERE tenant=$1 AND app=$2 AND kind IN ('firing','resolved')
			AND state NOT IN ('suppressed','grouped') ORDER BY id DESC LIMIT 1), '00000000-0000-0000-0000-000000000000')`, key...).Scan(&m.notice.held)
}

// gather joins the messages of each group that is due: the first one gets the
// text of all, in one transaction, before any of them was offered.
func (d *delivery) gather(ctx context.Context) error {
	rows, err := d.pool.Query(ctx, `SELECT grp FROM notifications WHERE state = 'pending' AND attempts = 0 AND grp IS NOT NULL
		GROUP BY grp HAVING count(*) > 1 AND (min(next_at) <= $1 OR min(next_at) > $2)`, d.now(), d.horizon())
	if err != nil {
		return fmt.Errorf("looking for messages to join: %w", err)
	}
	groups, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("looking for messages to join: %w", err)
	}
	for _, group := range groups {
		if err := pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error { return join(ctx, tx, group) }); err != nil {
			return fmt.Errorf("joining messages: %w", err)
		}
	}
	return nil
}

// join makes one message of those of a group that wait.
func join(ctx context.Context, tx pgx.Tx, group string) error {
	rows, err := tx.Query(ctx, `SELECT id::text, view FROM notifications WHERE grp = $1 AND state = 'pending' AND attempts = 0 AND view IS NOT NULL
		ORDER BY id FOR UPDATE`, group)
	if err != nil {
		return err
	}
	var ids, shown []string
	var id, text string
	if _, err := pgx.ForEachRow(rows, []any{&id, &text}, func() error {
		ids, shown = append(ids, id), append(shown, text)
		return nil
	}); err != nil || len(ids) < 2 {
		return err
	}
	var views []view
	for _, text := range shown {
		var some []view
		if err := json.Unmarshal([]byte(text), &some); err != nil {
			return err
		}
		views = append(views, some...)
	}
	m := messageOf(views...)
	if _, err := tx.Exec(ctx, `UPDATE notifications SET kind = $2, subject = $3, body_text = $4, body_html = $5, view = NULL WHERE id::text = $1`,
		ids[0], m.kind, m.subject, m.text, m.html); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE notifications SET state = 'grouped', lead = $1::uuid, view = NULL WHERE id::text = ANY($2)`, ids[0], ids[1:])
	return err
}
