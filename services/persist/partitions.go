package persist

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/config"
)

// lockWait bounds how long a change of partitions waits for readers, since
// everybody else waits behind it; it is tried again later.
const lockWait = "SET LOCAL lock_timeout = '2s'"

// partitions keeps the daily partitions of records: some ahead, none older
// than the retention. It belongs to the goroutine that stores.
type partitions struct {
	cfg  config.Persist
	log  *slog.Logger
	days map[int64]bool // days that have a partition
	busy bool           // readers held a lock: nothing is changed until the next maintain
}

func newPartitions(cfg config.Persist, log *slog.Logger) *partitions {
	return &partitions{cfg: cfg, log: log, days: map[int64]bool{}}
}

// maintain makes the partitions of today and the days ahead and drops those
// that are wholly older than the retention.
func (p *partitions) maintain(ctx context.Context, conn *pgxpool.Conn, now time.Time) error {
	p.busy = false
	if err := p.load(ctx, conn); err != nil {
		return err
	}
	today, oldest := dayOf(now), dayOf(now.Add(-p.cfg.Retention))
	for day := today; day <= today+int64(p.cfg.Ahead); day++ {
		if err := p.add(ctx, conn, day); err != nil {
			return err
		}
	}
	for day := range p.days {
		if day < oldest {
			if err := p.drop(ctx, conn, day); err != nil {
				return err
			}
		}
	}
	return nil
}

// lack reports whether cover has something to do.
func (p *partitions) lack(days map[int64]struct{}, now time.Time) bool {
	for day := range days {
		if p.wanted(day, now) {
			return true
		}
	}
	return false
}

// wanted reports whether day needs a partition that it does not have. Days out
// of the retention or too far ahead get none: their records go to the default one.
func (p *partitions) wanted(day int64, now time.Time) bool {
	return !p.busy && !p.days[day] && day >= dayOf(now.Add(-p.cfg.Retention)) && day <= dayOf(now)+int64(p.cfg.Ahead)
}

// cover makes the partitions that the days of a run lack.
func (p *partitions) cover(ctx context.Context, conn *pgxpool.Conn, days map[int64]struct{}, now time.Time) error {
	for day := range days {
		if !p.wanted(day, now) {
			continue
		}
		if err := p.add(ctx, conn, day); err != nil {
			return err
		}
	}
	return nil
}

// load reads which days have a partition.
func (p *partitions) load(ctx context.Context, conn *pgxpool.Conn) error {
	rows, err := conn.Query(ctx, `SELECT right(c.relname, 8) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'records'::regclass AND c.relname ~ '^records_[0-9]{8}$'`)
	if err != nil {
		return fmt.Errorf("listing the partitions: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("listing the partitions: %w", err)
	}
	clear(p.days)
	for _, name := range names {
		if t, err := time.Parse("20060102", name); err == nil {
			p.days[dayOf(t)] = true
		}
	}
	return nil
}

// add makes the partition of day and moves into it what the default one holds
// of that day. It attaches a finished table, which stops no reader of records.
func (p *partitions) add(ctx context.Context, conn *pgxpool.Conn, day int64) error {
	if p.days[day] {
		return nil
	}
	from := time.Unix(day*secondsOfDay, 0).UTC()
	name, bounds := "records_"+from.Format("20060102"), [2]string{stamp(from), stamp(from.AddDate(0, 0, 1))}
	done, err := p.change(ctx, conn,
		fmt.Sprintf("CREATE TABLE %s (LIKE records INCLUDING DEFAULTS INCLUDING CONSTRAINTS)", name),
		fmt.Sprintf(`WITH moved AS (DELETE FROM records_default WHERE ts >= '%s' AND ts < '%s' RETURNING *)
			INSERT INTO %s SELECT * FROM moved`, bounds[0], bounds[1], name),
		fmt.Sprintf("ALTER TABLE records ATTACH PARTITION %s FOR VALUES FROM ('%s') TO ('%s')", name, bounds[0], bounds[1]))
	if err != nil {
		return fmt.Errorf("making partition %s: %w", name, err)
	}
	if done {
		p.days[day] = true
	}
	return nil
}

// lastMinutes is the end of a day in which drop looks for the day's newest
// batch: the whole day has no index by batch.
const lastMinutes = 10 * time.Minute

// drop removes the partition of day, and from the default one what came in no
// later than its last records: whatever clock that carries, it is as old. After
// a day that ends in silence that is left to the next.
func (p *partitions) drop(ctx context.Context, conn *pgxpool.Conn, day int64) error {
	end := time.Unix((day+1)*secondsOfDay, 0).UTC()
	name := "records_" + end.AddDate(0, 0, -1).Format("20060102")
	done, err := p.change(ctx, conn,
		fmt.Sprintf("DELETE FROM records_default WHERE seq <= (SELECT max(seq) FROM %s WHERE ts >= '%s')", name, stamp(end.Add(-lastMinutes))),
		"DROP TABLE "+name)
	if err != nil {
		return fmt.Errorf("dropping partition %s: %w", name, err)
	}
	if done {
		delete(p.days, day)
		p.log.Info("records beyond the retention were dropped", "partition", name)
	}
	return nil
}

// change runs statements in one transaction. Where readers hold a lock too
// long it changes nothing and returns false: records keep going to the default
// partition, and the next look tries again.
func (p *partitions) change(ctx context.Context, conn *pgxpool.Conn, statements ...string) (bool, error) {
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, sql := range append([]string{lockWait}, statements...) {
			if _, err := tx.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
				return err
			}
		}
		return nil
	})
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "55P03" {
		p.busy = true
		p.log.Warn("a partition is in use; it is changed later", "statement", statements[0])
		return false, nil
	}
	return err == nil, err
}

func stamp(t time.Time) string { return t.Format("2006-01-02 15:04:05+00") }
