package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/logship/stream"
)

// ErrMoved says that the stored position is not the one that the transaction
// built on: another process of the same sink wrote meanwhile, or a commit whose
// answer was lost had succeeded. The transaction must be given up and the
// position read again.
var ErrMoved = errors.New("the position of the sink has moved")

// Querier is a pool, a connection or a transaction.
type Querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Place is how far a sink has read which stream.
type Place struct {
	Stream string // as stream.State calls it
	Seq    uint64 // of the last batch stored; 0 before the first
}

// Resume returns the place of sink on the stream that there is now. A stream
// that is another one than before (its folder was thrown away) is read from its
// beginning.
func Resume(ctx context.Context, pool *pgxpool.Pool, source Stream, sink string, log *slog.Logger) (Place, error) {
	if _, err := pool.Exec(ctx, `INSERT INTO sink_positions (sink, seq) VALUES ($1, 0) ON CONFLICT DO NOTHING`, sink); err != nil {
		return Place{}, fmt.Errorf("making the position of %s: %w", sink, err)
	}
	var stored Place
	err := pool.QueryRow(ctx, `SELECT stream, seq FROM sink_positions WHERE sink = $1`, sink).Scan(&stored.Stream, &stored.Seq)
	if err != nil {
		return Place{}, fmt.Errorf("reading the position of %s: %w", sink, err)
	}
	state, err := source.State(ctx)
	if err != nil {
		return Place{}, fmt.Errorf("asking the stream for its state: %w", err)
	}
	now := Place{Stream: state.ID, Seq: stored.Seq}
	if Replaced(stored, state) {
		log.Error("the stream was replaced; it is read from its beginning", "sink", sink, "position", stored.Seq, "last", state.Last)
		now.Seq = 0
	}
	if now == stored {
		return now, nil
	}
	tag, err := pool.Exec(ctx, `UPDATE sink_positions SET stream = $2, seq = $3 WHERE sink = $1 AND seq = $4`, sink, now.Stream, int64(now.Seq), int64(stored.Seq))
	if err == nil && tag.RowsAffected() != 1 {
		err = ErrMoved
	}
	if err != nil {
		return Place{}, fmt.Errorf("moving the position of %s from %d to %d: %w", sink, stored.Seq, now.Seq, err)
	}
	return now, nil
}

// Replaced reports whether the stream is another one than that of the place. A
// place without a name is of a former version, which knew positions alone.
func Replaced(at Place, now stream.State) bool {
	return at.Stream != "" && at.Stream != now.ID || now.Last < at.Seq
}

// Position returns the sequence of the last batch that sink has stored, 0 when
// it never ran.
func Position(ctx context.Context, q Querier, sink string) (uint64, error) {
	var seq int64
	err := q.QueryRow(ctx, `SELECT seq FROM sink_positions WHERE sink = $1`, sink).Scan(&seq)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the position of %s: %w", sink, err)
	}
	return uint64(seq), nil
}

// Advance moves the position of sink from prev to last as part of q's
// transaction. It returns ErrMoved where the stored position is not prev.
func Advance(ctx context.Context, q Querier, sink string, prev, last uint64) error {
	tag, err := q.Exec(ctx, `UPDATE sink_positions SET seq = $3 WHERE sink = $1 AND seq = $2`, sink, int64(prev), int64(last))
	if err != nil {
		return fmt.Errorf("moving the position of %s to %d: %w", sink, last, err)
	}
	if tag.RowsAffected() != 1 {
		return fmt.Errorf("moving the position of %s from %d to %d: %w", sink, prev, last, ErrMoved)
	}
	return nil
}
