package alert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/config"
)

const keepMessages = 30 * 24 * time.Hour // rows of notifications, and files in the outbox

// delivery takes pending messages to the mail server, or to the outbox where
// none is configured.
//
// A row is marked before it is offered to the server (attempts, next_at) and
// marked sent once the server has answered 250. If the process dies between
// the two, nobody can know whether the server took it: it is offered again,
// with the same Message-ID, because a lost alert is worse than a double one.
// A message that is known to be sent is never offered again.
type delivery struct {
	cfg     config.Alert
	smtp    config.SMTP
	outbox  string
	pool    *pgxpool.Pool
	log     *slog.Logger
	now     func() time.Time
	counted func(state string)

	pause  time.Time // the server could not be reached: no attempt before
	pruned time.Time
}

// runOnce delivers what is due and returns when nothing is left or the server
// is away.
func (d *delivery) runOnce(ctx context.Context) error {
	if err := d.prune(ctx); err != nil {
		return err
	}
	if err := d.gather(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil && !d.now().Before(d.pause) {
		l, ok, err := d.claim(ctx)
		if err != nil || !ok {
			return err
		}
		if err := d.deliver(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

// claim takes the next message that is due and marks the attempt: until the
// lease ends nobody else offers it.
func (d *delivery) claim(ctx context.Context) (l letter, ok bool, err error) {
	rows, err := d.pool.Query(ctx, `UPDATE notifications SET attempts = attempts + 1, next_at = $2, view = NULL
		WHERE id = (SELECT id FROM notifications WHERE state = 'pending' AND (next_at <= $1 OR next_at > $3)
			ORDER BY next_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
		RETURNING `+letterColumns, d.now(), d.now().Add(d.lease()), d.horizon())
	if err != nil {
		return l, false, fmt.Errorf("claiming a message: %w", err)
	}
	l, err = pgx.CollectExactlyOneRow(rows, scanLetter)
	if errors.Is(err, pgx.ErrNoRows) {
		return l, false, nil
	}
	if err != nil {
		return l, false, fmt.Errorf("claiming a message: %w", err)
	}
	return l, true, nil
}

// lease is how long an attempt may take.
func (d *delivery) lease() time.Duration { return 3*d.smtp.Timeout + d.cfg.RetryMin }

// horizon is beyond all that a message can have to wait for: one that is due
// later was written before the clock was set back.
func (d *delivery) horizon() time.Time {
	return d.now().Add(max(d.lease(), d.cfg.RetryMax, d.cfg.GroupWait, d.cfg.GroupInterval) + time.Minute)
}

// deliver makes one attempt and marks its outcome.
func (d *delivery) deliver(ctx context.Context, l letter) error {
	hook, isHook := hookOf(l.recipient)
	if d.smtp.Host == "" && !isHook {
		return d.toOutbox(ctx, l)
	}
	var err error
	if isHook {
		err = hook.post(ctx, l, d.cfg.WebhookAllow, d.smtp.Timeout)
	} else {
		err = l.post(ctx, d.smtp)
	}
	if err == nil {
		d.log.Info("A message was sent.", "to", l.recipient, "subject", l.subject, "attempt", l.attempts)
		return d.mark(ctx, l, stateSent, "", time.Time{})
	}
	if ctx.Err() != nil { // a stop while dialling says nothing about the server
		return d.mark(ctx, l, statePendingMail, "", d.now())
	}
	if _, ok := errors.AsType[*refusal](err); ok {
		d.log.Warn("The receiver refused a message.", "to", l.recipient, "subject", l.subject, "error", err)
		return d.mark(ctx, l, stateFailed, fmt.Sprintf("The receiver refused the message: %v", err), time.Time{})
	}
	if age := d.now().Sub(l.createdAt); age >= d.cfg.GiveUp {
		d.log.Warn("A message was given up.", "to", l.recipient, "subject", l.subject, "error", err)
		return d.mark(ctx, l, stateFailed, fmt.Sprintf("Given up after %s and %d attempts: %v", spell(age), l.attempts, err), time.Time{})
	}
	if _, ok := errors.AsType[*unreachable](err); ok {
		d.pause = d.now().Add(d.cfg.RetryMin)
	}
	if l.attempts == 1 {
		d.log.Warn("A message could not be sent yet.", "to", l.recipient, "subject", l.subject, "error", err)
	}
	return d.mark(ctx, l, statePendingMail, fmt.Sprintf("Attempt %d: %v", l.attempts, err), d.now().Add(d.backoff(l.attempts)))
}

// backoff returns the pause after the given number of attempts: it doubles
// from retry_min up to retry_max.
func (d *delivery) backoff(attempts int) time.Duration {
	pause := d.cfg.RetryMin
	for i := 1; i < attempts && pause < d.cfg.RetryMax; i++ {
		pause *= 2
	}
	return min(pause, d.cfg.RetryMax)
}

// toOutbox writes the message as DATA/outbox/<id>.eml. A second try writes the
// same file.
func (d *delivery) toOutbox(ctx context.Context, l letter) error {
	file, err := l.eml(d.smtp.From)
	if err != nil {
		return d.mark(ctx, l, stateFailed, fmt.Sprintf("The message could not be written: %v", err), time.Time{})
	}
	if err := writeFile(filepath.Join(d.outbox, l.id+".eml"), file); err != nil {
		markErr := d.mark(ctx, l, statePendingMail, err.Error(), d.now().Add(d.backoff(l.attempts)))
		return errors.Join(err, markErr)
	}
	d.log.Info("A message is in the outbox, as no SMTP server is configured.", "to", l.recipient, "subject", l.subject)
	return d.mark(ctx, l, stateOutbox, "", time.Time{})
}

// mark stores the outcome of an attempt. It goes on trying while the database
// is away, and makes one last try when ctx has ended: what was sent must not
// be sent again.
func (d *delivery) mark(ctx context.Context, l letter, state, reason string, next time.Time) error {
	if next.IsZero() {
		next = d.now()
	}
	for {
		short, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		// A link that somebody can join by is not kept once it is delivered.
		_, err := d.pool.Exec(short, `UPDATE notifications SET state=$2, error=$3, next_at=$4,
			body_text = CASE WHEN kind = 'invitation' AND $2 <> 'pending' THEN '' ELSE body_text END,
			body_html = CASE WHEN kind = 'invitation' AND $2 <> 'pending' THEN '' ELSE body_html END,
			sent_at = CASE WHEN $2 IN ('sent','outbox') THEN $5::timestamptz END WHERE id::text=$1`, l.id, state, cut(reason, 500), next, d.now())
		cancel()
		if err == nil {
			d.counted(state)
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("marking message %s as %s: %w", l.id, state, err)
		case <-time.After(time.Second):
		}
	}
}

// prune deletes old messages, once an hour.
func (d *delivery) prune(ctx context.Context) error {
	if d.now().Sub(d.pruned) < time.Hour {
		return nil
	}
	rows, err := d.pool.Query(ctx, "DELETE FROM notifications WHERE state <> 'pending' AND created_at < $1 RETURNING id::text", d.now().Add(-keepMessages))
	if err != nil {
		return fmt.Errorf("deleting old messages: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("deleting old messages: %w", err)
	}
	for _, id := range ids {
		_ = os.Remove(filepath.Join(d.outbox, id+".eml")) // most were never there
	}
	d.pruned = d.now()
	return nil
}

// writeFile writes a file so that it is there whole or not at all.
func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("making the outbox: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".eml-*")
	if err != nil {
		return fmt.Errorf("writing to the outbox: %w", err)
	}
	defer os.Remove(f.Name()) // fails once it is renamed
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
