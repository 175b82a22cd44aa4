package persist

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/services/sink"
)

// store copies r and, once before is closed, moves the position, in one
// transaction. When Postgres refuses what a record holds, the run is stored by
// halves, so that only the record at fault is left out; store returns how many
// were.
func (p *Persist) store(ctx context.Context, conn *pgxpool.Conn, r *run, before <-chan struct{}) (skipped int, err error) {
	err = p.transact(ctx, conn, r, before, func(tx pgx.Tx) error { return copyTuples(ctx, tx, r, 0, len(r.ends)) })
	if refusal(err) == nil {
		return 0, err
	}
	err = p.transact(ctx, conn, r, before, func(tx pgx.Tx) error {
		skipped, err = p.copyHalves(ctx, tx, r, 0, len(r.ends))
		return err
	})
	return skipped, err
}

// transact gives up fsync at the commit: what a crash of the machine takes back
// it takes back together with the position, and it is read again.
func (p *Persist) transact(ctx context.Context, conn *pgxpool.Conn, r *run, before <-chan struct{}, copyAll func(pgx.Tx) error) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if _, err := tx.Exec(ctx, "SET LOCAL synchronous_commit = off"); err != nil {
		return fmt.Errorf("setting up a transaction: %w", err)
	}
	if err := copyAll(tx); err != nil {
		return err
	}
	select {
	case <-before: // the run before is committed
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := sink.Advance(ctx, tx, Sink, r.prev, r.last); err != nil {
		return err
	}
	if err := p.beforeCommit(); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("committing %d records up to batch %d: %w", len(r.ends), r.last, err)
	}
	return nil
}

// copyTuples copies the tuples from i up to but without j.
func copyTuples(ctx context.Context, tx pgx.Tx, r *run, i, j int) error {
	if i == j {
		return nil
	}
	body := &body{run: r, next: i, end: j, rest: copyHeader}
	if _, err := tx.Conn().PgConn().CopyFrom(ctx, body, copyRecords); err != nil {
		return fmt.Errorf("copying %d records up to batch %d: %w", j-i, r.last, err)
	}
	return nil
}

// copyHalves copies the tuples from i up to but without j, leaving out those
// that Postgres refuses even alone.
func (p *Persist) copyHalves(ctx context.Context, tx pgx.Tx, r *run, i, j int) (skipped int, err error) {
	if i == j {
		return 0, nil
	}
	if _, err := tx.Exec(ctx, "SAVEPOINT half"); err != nil {
		return 0, fmt.Errorf("setting a savepoint: %w", err)
	}
	err = copyTuples(ctx, tx, r, i, j)
	reason := refusal(err)
	if err == nil {
		_, err = tx.Exec(ctx, "RELEASE SAVEPOINT half")
	}
	if reason == nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, "ROLLBACK TO SAVEPOINT half; RELEASE SAVEPOINT half", pgx.QueryExecModeSimpleProtocol); err != nil {
		return 0, fmt.Errorf("going back to a savepoint: %w", err)
	}
	if j-i == 1 {
		p.deps.Log.Warn("Postgres refuses a record; it is passed over", "run", r.last, "code", reason.Code, "reason", reason.Message)
		return 1, nil
	}
	middle := (i + j) / 2
	left, err := p.copyHalves(ctx, tx, r, i, middle)
	if err != nil {
		return 0, err
	}
	right, err := p.copyHalves(ctx, tx, r, middle, j)
	return left + right, err
}

// refusal returns Postgres's error where it is about what a record holds
// (classes 22 data, 23 integrity, 54 limits), nil where it is about anything
// else and may pass.
func refusal(err error) *pgconn.PgError {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || len(refused.Code) != 5 {
		return nil
	}
	switch refused.Code[:2] {
	case "22", "23", "54":
		return refused
	}
	return nil
}

// body reads the tuples from next up to but without end as a binary COPY.
type body struct {
	run       *run
	next, end int
	rest      []byte // of what is being read
	last      bool   // rest is the end of the COPY
}

// Read implements io.Reader.
func (b *body) Read(buf []byte) (n int, err error) {
	for n < len(buf) {
		if len(b.rest) == 0 && !b.advance() {
			break
		}
		m := copy(buf[n:], b.rest)
		n, b.rest = n+m, b.rest[m:]
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// advance goes on to the next tuple, or to the end behind the last one; false
// where that has been read.
func (b *body) advance() bool {
	switch {
	case b.next < b.end:
		b.rest = b.run.tuple(b.next)
		b.next++
	case !b.last:
		b.rest, b.last = copyEnd, true
	default:
		return false
	}
	return true
}
