package alert

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"kurama/logship/record"
)

// write stores states, values, messages and the position in one transaction.
func (w *watcher) write(ctx context.Context, out outcome) error {
	err := pgx.BeginFunc(ctx, w.opts.Pool, func(tx pgx.Tx) error {
		for _, r := range out.moved {
			if _, err := tx.Exec(ctx, `UPDATE alert_rules SET state=$2, since=$3, value=$4, told_at=$5, held_from=$6, held_to=$7 WHERE id::text=$1`,
				r.rule.ID, r.status.state, r.status.since, r.value, nullable(r.told), nullable(r.began), nullable(r.ended)); err != nil {
				return err
			}
		}
		if err := writeValues(ctx, tx, out.values); err != nil {
			return err
		}
		if err := w.seen.kinds.store(ctx, tx); err != nil {
			return err
		}
		for _, m := range out.mails {
			if err := w.queue(ctx, tx, m); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO sink_positions (sink, seq, stream) VALUES ($1,$2,$5), ($3,$4,$5)
			ON CONFLICT (sink) DO UPDATE SET seq = excluded.seq, stream = excluded.stream`,
			sinkSeen, int64(max(w.seq, w.warm)), sinkFrom, int64(w.from), w.stream)
		return err
	})
	if err != nil {
		return fmt.Errorf("writing the state of the alerts: %w", err)
	}
	w.seen.kinds.fresh = nil
	for _, list := range [][]*running{out.moved, out.values} {
		for _, r := range list {
			r.written = r.value
		}
	}
	return nil
}

// nullable returns nil for the zero time.
func nullable(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func writeValues(ctx context.Context, tx pgx.Tx, list []*running) error {
	if len(list) == 0 {
		return nil
	}
	ids, texts := make([]string, len(list)), make([]string, len(list))
	for i, r := range list {
		ids[i], texts[i] = r.rule.ID, r.value
	}
	_, err := tx.Exec(ctx, `UPDATE alert_rules a SET value = v.value
		FROM unnest($1::text[], $2::text[]) AS v(id, value) WHERE a.id = v.id::uuid`, ids, texts)
	return err
}

// announce wakes the delivery and sends the event records, after the state is
// stored. An event may be lost in a crash; a message is not.
func (w *watcher) announce(out outcome) {
	if len(out.mails) > 0 {
		select {
		case w.queued <- struct{}{}:
		default:
		}
	}
	for _, m := range out.events {
		e := event(m, w.opts.Now())
		w.log.Info("An alert changed.", "app", e.App, "rule", m.running.rule.ID, "kind", m.kind, "value", m.running.value)
		if w.opts.Sender != nil && !w.opts.Sender.Send(e) {
			w.log.Warn("The event record of an alert was dropped: the agent does not keep up.", "app", e.App, "rule", m.running.rule.ID)
		}
	}
}

// event returns the record that tells of a change.
func event(m mailOut, now time.Time) *record.Record {
	r := &record.Record{Time: now, ID: record.NewID(now), Kind: record.KindEvent, Level: record.LevelWarning,
		Tenant: m.running.rule.Tenant, App: m.running.rule.App}
	name := "alert_firing"
	r.Msg = "Alert: " + m.running.condition.Phrase(m.notice.figures) + "."
	if m.kind == kindResolved {
		name, r.Level = "alert_resolved", record.LevelInfo
		r.Msg = "Alert over: " + m.running.condition.Phrase(nil) + " (now " + m.running.condition.Now(m.notice.figures) + ")."
	}
	r.Extra, _ = json.Marshal(map[string]string{"event": name, "rule": m.running.rule.ID, // strings cannot fail
		"condition": strings.TrimSpace(m.running.condition.Text), "value": m.running.value})
	return r
}
