package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"kurama/internal/postgres"
	"kurama/paas/database"
	"kurama/paas/store"
)

// dumpsName is the folder in the data folder with the databases of apps, one
// file each, while a backup is written or restored.
const dumpsName = "dumps"

func (b *backing) appsAddress(name string) (string, error) {
	return postgres.AppsDSN(b.folders.Run, name)
}

// startDatabases runs the cluster of the apps' databases, where no platform does.
func (b *backing) startDatabases(ctx context.Context) (stop func(), err error) {
	server, err := postgres.NewAppsServer(ctx, b.cfg.Database.Bin, b.cfg.Databases, b.folders.Data, b.folders.Socket(postgres.AppsName), logger(b.cfg, "databases"))
	if err != nil {
		return nil, err
	}
	return runServer(ctx, server)
}

// dumpDatabases writes the databases of apps where the backup finds them, until
// drop is called.
func (b *backing) dumpDatabases(ctx context.Context, running bool) (drop func(), err error) {
	dir := b.folders.Sub(dumpsName)
	drop = func() { _ = os.RemoveAll(dir) }
	if !databasesWanted(b.folders) {
		return drop, nil
	}
	if !running {
		stop, err := b.startDatabases(ctx)
		if err != nil {
			return drop, err
		}
		defer stop()
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return drop, diskSentence(err)
	}
	maintenance, err := b.appsAddress("postgres")
	if err != nil {
		return drop, err
	}
	names, err := postgres.Names(ctx, maintenance, database.Prefix)
	for _, name := range names {
		address, err := b.appsAddress(name)
		if err == nil {
			err = postgres.Dump(ctx, b.cfg.Database, address, filepath.Join(dir, name))
		}
		if err != nil {
			return drop, fmt.Errorf("the database %s of an app: %w", name, err)
		}
	}
	return drop, err
}

// restoreDatabases makes the databases that the backup holds, under the
// passwords that they had.
func (b *backing) restoreDatabases(ctx context.Context, dsn string) error {
	dir := b.folders.Sub(dumpsName)
	if _, err := os.Stat(dir); err != nil {
		return nil // of an installation without any
	}
	keys, err := readKeys(b.folders)
	if err != nil {
		return err
	}
	pool, err := postgres.Open(ctx, dsn, 2)
	if err != nil {
		return err
	}
	defer pool.Close()
	stop, err := b.startDatabases(ctx)
	if err != nil {
		return err
	}
	defer stop()
	stored := store.New(pool).Sealing(keys)
	keeper := newDatabases(b.cfg, b.folders, stored, logger(b.cfg, "databases"))
	all, err := stored.Databases(ctx)
	if err != nil {
		return err
	}
	for _, d := range all {
		file := filepath.Join(dir, d.Name)
		err := keeper.Refill(ctx, d, func(dsn string) error {
			if _, err := os.Stat(file); err != nil {
				return nil // one that was just being deleted has none
			}
			return postgres.Fill(ctx, b.cfg.Database, dsn, d.Name, file)
		})
		if err != nil {
			return fmt.Errorf("the database of app %s of tenant %s: %w", d.App, d.Tenant, err)
		}
	}
	return os.RemoveAll(dir)
}
