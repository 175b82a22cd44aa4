// Package database gives apps Postgres databases in the cluster that they
// share: it makes and removes them, changes their passwords, and bounds what
// they hold.
package database

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"time"

	"kurama/internal/config"
	"kurama/paas"
)

// Store is what is stored about databases.
type Store interface {
	App(ctx context.Context, tenant, app string) (paas.App, error)
	Database(ctx context.Context, tenant, app string) (paas.Database, error)
	Databases(ctx context.Context) ([]paas.Database, error)
	AddDatabase(ctx context.Context, d paas.Database) error
	ResizeDatabase(ctx context.Context, tenant, app string, size int64) error
	SetDatabaseLogin(ctx context.Context, d paas.Database) error
	SetDatabaseUse(ctx context.Context, d paas.Database) error
	RemoveDatabase(ctx context.Context, tenant, app string) error
	RequestRestart(ctx context.Context, tenant, app string) error
}

// Deps are what a Keeper works with.
type Deps struct {
	Store   Store
	Address func(database string) (dsn string, err error) // of a database of the cluster, for who may do anything there
	Socket  string                                        // folder of the cluster's socket
	// Want has the cluster run from now on; *paas.Invalid where it cannot.
	Want func() error
	Log  *slog.Logger
}

// Keeper keeps the databases of apps. Its methods return errors that wrap
// paas.ErrNotFound or paas.ErrExists, or are *paas.Invalid.
type Keeper struct {
	cfg config.Databases
	Deps
	rotating sync.Mutex // two at once would set the same role, and one of their passwords would be stored in vain
}

// New returns a Keeper; nothing is measured before Run.
func New(cfg config.Databases, deps Deps) *Keeper { return &Keeper{cfg: cfg, Deps: deps} }

const (
	// patience is how long who asks for a database waits for the cluster, which
	// is made for the first of all.
	patience = 90 * time.Second
	// cleanTimeout bounds what is done after a failure.
	cleanTimeout = 5 * time.Second
	// overlap is how long the former password goes on working: until the
	// replicas that know it are gone.
	overlap = "10 minutes"
)

// Prefix begins the name of each database of an app.
const Prefix = "app_"

func random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// Database returns the database of an app; nil where it has none.
func (k *Keeper) Database(ctx context.Context, tenant, app string) (*paas.Database, error) {
	if _, err := k.Store.App(ctx, tenant, app); err != nil {
		return nil, err
	}
	d, err := k.Store.Database(ctx, tenant, app)
	if errors.Is(err, paas.ErrNotFound) {
		return nil, nil
	}
	return &d, err
}

// DatabaseURL returns the address of an app's database inside a container, with
// its password; empty where it has none. The cluster is not asked.
func (k *Keeper) DatabaseURL(ctx context.Context, tenant, app string) (string, error) {
	d, err := k.Store.Database(ctx, tenant, app)
	if errors.Is(err, paas.ErrNotFound) {
		return "", nil
	}
	return d.URL(), err
}

// AddDatabase gives an app a database of size bytes (0: the usual), which its
// next replicas find.
func (k *Keeper) AddDatabase(ctx context.Context, tenant, app string, size int64) error {
	if size == 0 {
		size = int64(k.cfg.Size)
	}
	if err := paas.CheckDatabaseSize(size, int64(k.cfg.SizeMax)); err != nil {
		return err
	}
	if err := k.Want(); err != nil {
		return err
	}
	d := paas.Database{Tenant: tenant, App: app, Name: Prefix + random(8), Password: random(24), Size: size, State: paas.DatabaseOpen}
	if err := k.Store.AddDatabase(ctx, d); err != nil {
		return err
	}
	err := k.Provision(ctx, d)
	if err != nil { // what there is of it goes, so that it can be asked for again
		cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTimeout)
		defer cancel()
		return errors.Join(err, k.drop(cleaning, d), k.Store.RemoveDatabase(context.WithoutCancel(ctx), tenant, app))
	}
	k.Log.Info("an app has a database now", "tenant", tenant, "app", app, "database", d.Name, "size", d.Size)
	return nil
}

// CreateDatabase is AddDatabase, and restarts the replicas one by one.
func (k *Keeper) CreateDatabase(ctx context.Context, tenant, app string, size int64) error {
	if _, err := k.Store.App(ctx, tenant, app); err != nil {
		return err
	}
	if err := k.AddDatabase(ctx, tenant, app, size); err != nil {
		return err
	}
	return k.Store.RequestRestart(ctx, tenant, app)
}

// RemoveDatabase deletes the database of an app with all that it holds; one
// that it has not is no error.
func (k *Keeper) RemoveDatabase(ctx context.Context, tenant, app string) error {
	d, err := k.Store.Database(ctx, tenant, app)
	if errors.Is(err, paas.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := k.drop(ctx, d); err != nil {
		return fmt.Errorf("the database of app %s is not deleted: %w", app, err)
	}
	k.Log.Info("a database is deleted", "tenant", tenant, "app", app, "database", d.Name)
	return k.Store.RemoveDatabase(ctx, tenant, app)
}

// DeleteDatabase is RemoveDatabase for one that there is, and restarts the
// replicas one by one.
func (k *Keeper) DeleteDatabase(ctx context.Context, tenant, app string) error {
	if _, err := k.Store.Database(ctx, tenant, app); err != nil {
		return err
	}
	if err := k.RemoveDatabase(ctx, tenant, app); err != nil {
		return err
	}
	return k.Store.RequestRestart(ctx, tenant, app)
}

// ResizeDatabase sets what the database of an app may hold, bytes. Whether it is
// full is found at once.
func (k *Keeper) ResizeDatabase(ctx context.Context, tenant, app string, size int64) error {
	if err := paas.CheckDatabaseSize(size, int64(k.cfg.SizeMax)); err != nil {
		return err
	}
	if err := k.Store.ResizeDatabase(ctx, tenant, app, size); err != nil {
		return err
	}
	return k.Measure(ctx)
}

// RotateDatabase gives an app another password for its database and restarts
// the replicas one by one. It is that of another role with the same rights,
// taken in turn, so that replicas which know the former one serve on meanwhile.
func (k *Keeper) RotateDatabase(ctx context.Context, tenant, app string) error {
	k.rotating.Lock()
	defer k.rotating.Unlock()
	d, err := k.Store.Database(ctx, tenant, app)
	if err != nil {
		return err
	}
	d.Turn, d.Password = d.Turn+1, random(24)
	if err := k.roles(ctx, d); err != nil {
		return err
	}
	if err := k.Store.SetDatabaseLogin(ctx, d); err != nil {
		return err
	}
	if err := k.expire(ctx, d.FormerLogin()); err != nil {
		return err
	}
	k.Log.Info("a database has another password", "tenant", tenant, "app", app, "former_good_for", overlap)
	return k.Store.RequestRestart(ctx, tenant, app)
}

// DialDatabase connects to the cluster, for who has the password of an app's
// database.
func (k *Keeper) DialDatabase(ctx context.Context, tenant, app string) (net.Conn, error) {
	if _, err := k.Store.Database(ctx, tenant, app); err != nil {
		return nil, err
	}
	return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(k.Socket, ".s.PGSQL.5432"))
}

// Used returns the bytes that the databases of each tenant held when they were
// last measured.
func (k *Keeper) Used(ctx context.Context) (map[string]int64, error) {
	all, err := k.Store.Databases(ctx)
	used := map[string]int64{}
	for _, d := range all {
		if d.Used != nil {
			used[d.Tenant] += *d.Used
		}
	}
	return used, err
}
