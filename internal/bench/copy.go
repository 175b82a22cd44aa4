package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/postgres"
)

// copyColumns are those that persist writes, in its order.
const copyColumns = `ts, id, seq, release, cpu, disk, swap, mem, dur, queue, cpu_ms, status, kind, level,
	tenant, app, replica, method, url, route, req, msg, exc, extra, db_ms, bytes`

// bare copies rows into a table of the same kind as persist's (the same
// migrations, the same partition), in another database of the same server.
type bare struct {
	dsn          string
	pool         *pgxpool.Pool
	text, binary string // files of the rows
}

// newBare makes the database, with a partition for yesterday to tomorrow's eve.
func (p *platform) newBare(ctx context.Context) (*bare, error) {
	const name = "bare"
	for _, sql := range []string{"DROP DATABASE IF EXISTS " + name, "CREATE DATABASE " + name} {
		if _, err := p.pool.Exec(ctx, sql); err != nil {
			return nil, fmt.Errorf("%s: %w", sql, err)
		}
	}
	b := &bare{dsn: strings.Replace(p.dsn, "/postgres?", "/"+name+"?", 1), text: filepath.Join(p.data, "rows.txt"), binary: filepath.Join(p.data, "rows.bin")}
	if err := postgres.Migrate(ctx, b.dsn); err != nil {
		return nil, err
	}
	var err error
	if b.pool, err = postgres.Open(ctx, b.dsn, 2); err != nil {
		return nil, err
	}
	today := time.Now().UTC().Truncate(24 * time.Hour)
	for i := range 2 { // a run may pass midnight
		from := today.AddDate(0, 0, i)
		sql := fmt.Sprintf("CREATE TABLE records_%s PARTITION OF records FOR VALUES FROM ('%s') TO ('%s')", from.Format("20060102"),
			from.Format(time.RFC3339), from.AddDate(0, 0, 1).Format(time.RFC3339))
		if _, err := b.pool.Exec(ctx, sql); err != nil {
			b.close()
			return nil, fmt.Errorf("making a partition: %w", err)
		}
	}
	return b, nil
}

func (b *bare) close() { b.pool.Close() }

// export writes the rows of the load that is stored now into both files.
func (b *bare) export(ctx context.Context, p *platform) error {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("exporting the rows: %w", err)
	}
	defer conn.Release()
	for path, format := range map[string]string{b.text: "", b.binary: " (FORMAT binary)"} {
		file, err := os.Create(path)
		if err != nil {
			return fmt.Errorf("exporting the rows: %w", err)
		}
		_, err = conn.Conn().PgConn().CopyTo(ctx, file, fmt.Sprintf("COPY (SELECT %s FROM records WHERE %s ORDER BY seq, ts) TO STDOUT%s", copyColumns, ofLoad, format))
		if err := errors.Join(err, file.Close()); err != nil {
			return fmt.Errorf("exporting the rows: %w", err)
		}
	}
	return nil
}

// round empties the table, lets the disk come to rest and times one copy.
func (b *bare) round(ctx context.Context, p *platform, copyRows func(context.Context) error, l *leg) error {
	if err := p.fresh(ctx); err != nil {
		return err
	}
	for _, sql := range []string{"TRUNCATE records", "CHECKPOINT"} {
		if _, err := b.pool.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	before, err := p.use()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := copyRows(ctx); err != nil {
		return err
	}
	took := time.Since(began)
	after, err := p.use()
	if err != nil {
		return err
	}
	l.add(took, map[string]time.Duration{"postgres": after.since(before).of("postgres")})
	var rows int
	if err := b.pool.QueryRow(ctx, "SELECT count(*) FROM records").Scan(&rows); err != nil || rows != ingestRecords {
		return fmt.Errorf("%d of %d rows were copied: %w", rows, ingestRecords, err)
	}
	return nil
}

// psql copies the text file by the command line client: one connection, one transaction.
func (b *bare) psql(ctx context.Context) error {
	columns := strings.Join(strings.Fields(copyColumns), " ")
	cmd := exec.CommandContext(ctx, "psql", b.dsn, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c",
		fmt.Sprintf(`\copy records (%s) FROM '%s'`, columns, b.text))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("psql: %w: %s", err, out)
	}
	return nil
}

// pgx copies the binary file as it is: one connection, one transaction, no encoding.
func (b *bare) pgx(ctx context.Context) error {
	file, err := os.Open(b.binary)
	if err != nil {
		return fmt.Errorf("copying by pgx: %w", err)
	}
	defer func() { _ = file.Close() }()
	return pgx.BeginFunc(ctx, b.pool, func(tx pgx.Tx) error {
		_, err := tx.Conn().PgConn().CopyFrom(ctx, file, fmt.Sprintf("COPY records (%s) FROM STDIN BINARY", copyColumns))
		return err
	})
}
