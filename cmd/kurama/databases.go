package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/config"
	"kurama/internal/postgres"
	"kurama/paas"
	"kurama/paas/database"
	"kurama/paas/store"
)

// wantedName is a file in the data folder: an app has asked for a database, so
// that their cluster runs.
const wantedName = "databases.wanted"

func databasesWanted(f config.Folders) bool {
	_, err := os.Stat(f.Sub(wantedName))
	return err == nil
}

// newDatabases keeps the databases of apps in the cluster that `kurama up` runs.
func newDatabases(cfg config.Config, folders config.Folders, stored *store.Store, log *slog.Logger) *database.Keeper {
	return database.New(cfg.Databases, database.Deps{Store: stored, Socket: folders.Socket(postgres.AppsName), Log: log,
		Address: func(name string) (string, error) { return postgres.AppsDSN(folders.Run, name) },
		Want: func() error {
			if _, err := postgres.FindBinaries(cfg.Database.Bin); err != nil {
				return &paas.Invalid{Reason: "Databases need PostgreSQL on the platform's host, and it is not installed there. Ask its operator: `kurama setup` installs it."}
			}
			return os.WriteFile(folders.Sub(wantedName), nil, 0o600)
		}})
}

func (w *wiring) databases(pool *pgxpool.Pool) *database.Keeper {
	return newDatabases(w.cfg, w.folders, store.New(pool).Within(w.cfg.Quota.Bounds()).Sealing(w.keys), w.log)
}

// databasesAnswer returns why the cluster of the apps' databases cannot be used.
func databasesAnswer(ctx context.Context, folders config.Folders) error {
	address, err := postgres.AppsDSN(folders.Run, "postgres")
	if err != nil {
		return err
	}
	pool, err := postgres.Open(ctx, address, 2)
	if err == nil {
		pool.Close()
	}
	return err
}

const (
	wantedLook    = 250 * time.Millisecond // between two looks whether an app has asked for a database
	appsPatience  = time.Minute            // for their cluster to come up
	appsStartPace = 5 * time.Second        // between two attempts to start it
)

// appDatabases runs the cluster of the apps' databases from the moment that one
// is wanted, and waits for it where one was before. The platform comes up
// without it, too.
func (p *platform) appDatabases(ctx context.Context) error {
	run, cancel := context.WithCancel(context.Background())
	done, ready := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		p.runAppDatabases(run, ready)
	}()
	p.onStop(func() { cancel(); <-done })
	if !databasesWanted(p.folders) {
		return nil
	}
	select {
	case <-ready:
	case <-ctx.Done():
	case <-time.After(appsPatience):
		p.log.Error("the apps' databases are not there yet; their apps may fail", "log", p.folders.Sub(postgres.AppsName+".log"))
	}
	return nil
}

func (p *platform) runAppDatabases(ctx context.Context, ready chan<- struct{}) {
	tick := time.NewTicker(wantedLook)
	defer tick.Stop()
	for !databasesWanted(p.folders) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
	for ctx.Err() == nil {
		server, err := postgres.NewAppsServer(ctx, p.cfg.Database.Bin, p.cfg.Databases, p.folders.Data, p.folders.Socket(postgres.AppsName), p.log)
		if err == nil {
			go func() {
				if server.WaitReady(ctx) == nil {
					close(ready)
				}
			}()
			_ = server.Run(ctx) // ends with ctx alone
			return
		}
		if ctx.Err() == nil {
			p.log.Error("the apps' databases cannot be started", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(appsStartPace):
		}
	}
}
