package database

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"kurama/paas"
)

// Run brings the roles of all databases up to date with the configuration, and
// looks at what they hold until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	if err := k.refresh(ctx); err != nil && ctx.Err() == nil {
		k.Log.Error("the roles of databases are as they were", "error", err)
	}
	tick := time.NewTicker(k.cfg.Interval)
	defer tick.Stop()
	failing := false
	for {
		err := k.Measure(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			k.Log.Error("what the apps' databases hold is not known", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (k *Keeper) refresh(ctx context.Context) error {
	all, err := k.Store.Databases(ctx)
	for _, d := range all {
		err = errors.Join(err, k.Provision(ctx, d)) // a crash may have left one half made
	}
	return err
}

// Measure looks at what all databases hold: one that is beyond its size is only
// read from then on, and written again once it is below.
func (k *Keeper) Measure(ctx context.Context) error {
	all, err := k.Store.Databases(ctx)
	if err != nil || len(all) == 0 {
		return err
	}
	return k.with(ctx, maintenance, func(conn *pgx.Conn) error {
		used, err := sizes(ctx, conn)
		if err != nil {
			return err
		}
		var errs []error
		for _, d := range all {
			if bytes, there := used[d.Name]; there {
				errs = append(errs, k.judge(ctx, conn, d, bytes))
			}
		}
		return errors.Join(errs...)
	})
}

func sizes(ctx context.Context, conn *pgx.Conn) (map[string]int64, error) {
	rows, err := conn.Query(ctx, `SELECT datname, pg_database_size(oid) FROM pg_database WHERE starts_with(datname, $1)`, Prefix)
	if err != nil {
		return nil, fmt.Errorf("measuring databases: %w", err)
	}
	used := map[string]int64{}
	var name string
	var bytes int64
	_, err = pgx.ForEachRow(rows, []any{&name, &bytes}, func() error {
		used[name] = bytes
		return nil
	})
	return used, err
}

// judge stores what a database holds, and holds the app to what follows from
// it. Its connections are ended then: those that are open would go on as before.
func (k *Keeper) judge(ctx context.Context, conn *pgx.Conn, d paas.Database, used int64) error {
	state := d.Measured(used)
	if d.State == state && d.Used != nil && *d.Used == used {
		return nil
	}
	changed := d.State != state
	if changed && state == paas.DatabaseFull {
		d.Full = used
	}
	d.State, d.Used = state, &used
	if changed {
		k.Log.Warn("a database is "+string(state)+" now", "tenant", d.Tenant, "app", d.App, "database", d.Name, "used", used, "size", d.Size)
		if err := run(ctx, conn, k.bounds(d)...); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, d.Name); err != nil {
			return fmt.Errorf("ending the connections of a database: %w", err)
		}
	}
	if err := k.Store.SetDatabaseUse(ctx, d); err != nil && !errors.Is(err, paas.ErrNotFound) {
		return err
	}
	return nil
}
