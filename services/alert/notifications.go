package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"kurama/paas"
)

// The states of a message, as in the table notifications.
const (
	statePendingMail = "pending"
	stateSent        = "sent"
	stateOutbox      = "outbox"     // no SMTP is configured; the message is an .eml file
	stateFailed      = "failed"     // error says why
	stateSuppressed  = "suppressed" // beyond the messages per hour; counted in the next one
	stateGrouped     = "grouped"    // told in another message, its lead
)

// The kinds of message.
const (
	kindFiring   = "firing"
	kindResolved = "resolved"
	kindTest     = "test"
)

// execer is a pool or a transaction.
type execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// place is where a new message stands in the queue.
type place struct {
	state string
	at    time.Time
	due   time.Time
	group string // "": it leaves alone
}

// insertNotification queues a message.
func insertNotification(ctx context.Context, db execer, r Rule, m message, in place) error {
	var shown []byte
	if in.group != "" && in.state == statePendingMail {
		shown, _ = json.Marshal(m.views) // texts always marshal
	}
	_, err := db.Exec(ctx, `INSERT INTO notifications (id, tenant, app, rule, kind, recipient, subject, body_text, body_html, state, next_at, created_at, grp, view)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,nullif($13,''),nullif($14,''))`,
		newID(), r.Tenant, r.App, r.ID, m.kind, r.Receiver, m.subject, m.text, m.html, in.state, in.due, in.at, in.group, string(shown))
	if err != nil {
		return fmt.Errorf("queueing the message %q: %w", m.subject, err)
	}
	return nil
}

// Notifications returns the messages of an app, newest first, at most limit
// (1 to 500; others mean 100).
func (s *Rules) Notifications(ctx context.Context, tenant, app string, limit int) ([]Notification, error) {
	if limit < 1 || limit > 500 {
		limit = 100
	}
	rows, err := s.pool.Query(ctx, `SELECT id::text, kind, recipient, subject, body_text, state, attempts, error, created_at, sent_at
		FROM notifications WHERE tenant=$1 AND app=$2 ORDER BY created_at DESC, id DESC LIMIT $3`, tenant, app, limit)
	if err != nil {
		return nil, fmt.Errorf("listing the messages of %s: %w", app, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (n Notification, err error) {
		err = row.Scan(&n.ID, &n.Kind, &n.Recipient, &n.Subject, &n.BodyText, &n.State, &n.Attempts, &n.Error, &n.CreatedAt, &n.SentAt)
		return n, err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the messages of %s: %w", app, err)
	}
	return list, nil
}

// EML returns one message of a tenant as an RFC 5322 file. Errors:
// paas.ErrNotFound.
func (s *Rules) EML(ctx context.Context, tenant, id string) ([]byte, error) {
	rows, err := s.pool.Query(ctx, "SELECT "+letterColumns+" FROM notifications WHERE id::text=$1 AND tenant=$2 AND kind <> 'invitation'", id, tenant)
	if err != nil {
		return nil, fmt.Errorf("reading message %s: %w", id, err)
	}
	l, err := pgx.CollectExactlyOneRow(rows, scanLetter)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("message %s: %w", id, paas.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("reading message %s: %w", id, err)
	}
	return l.eml(s.from)
}
