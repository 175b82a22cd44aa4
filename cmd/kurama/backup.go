package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kurama/internal/backup"
	"kurama/internal/config"
	"kurama/internal/postgres"
	"kurama/paas/store"
)

// leftOut is what a backup does not hold: what is made anew, what belongs to a
// process, and the database's own files, which are dumped.
var leftOut = []string{"postgres", "postgres.log", postgres.AppsName, postgres.AppsName + ".log", "run", "uploads", "standby", "wheels", "hooks", "kurama.lock"}

// moving is what changes without pause while the platform runs; the records in
// it are in the database and the archive.
var moving = []string{"stream", "spool"}

func backupCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Write everything of this installation into one file",
		Long: `Writes the database, releases, layers, volumes, archives, keys and accounts into one file, compressed; - is the standard output.
The platform may run: what arrives while it works may be missing, and volumes are as after a power cut. Stopped, the backup is complete.
The file holds passwords and keys of everybody: keep it as you keep those.`,
		Example: "  kurama backup /backups/kurama-$(date +%F).tar.zst --data /var/lib/kurama\n  kurama backup - | ssh vault 'cat > kurama.tar.zst'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, folders, err := s.load()
			if err != nil {
				return err
			}
			b := &backing{cfg: cfg, folders: folders}
			begun := time.Now()
			stats, err := b.write(cmd.Context(), args[0], cmd.OutOrStdout())
			if err == nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "✓ %d files, %s before compression, in %s\n", stats.Files, size(stats.Bytes), spoken(time.Since(begun)))
			}
			return err
		},
	}
}

// backing is one backup of an installation.
type backing struct {
	cfg     config.Config
	folders config.Folders
}

// write makes the backup of a running platform, or holds a stopped one.
func (b *backing) write(ctx context.Context, name string, stdout io.Writer) (stats backup.Stats, err error) {
	if _, err := os.Stat(b.folders.Sub("instance.id")); err != nil {
		return stats, fmt.Errorf("there is no installation in %s. Name its folder with --data", b.folders.Data)
	}
	unlock, running, err := b.hold()
	if err != nil {
		return stats, err
	}
	defer unlock()
	dsn, stop, err := b.database(ctx, running)
	if err != nil {
		return stats, err
	}
	defer stop()
	src := backup.Source{Data: b.folders.Data, Leave: leftOut, Again: "archive"}
	if running {
		src.Leave = append(append([]string{}, leftOut...), moving...)
		b.seal(ctx, dsn)
	}
	dir, err := os.MkdirTemp("", "kurama-backup-")
	if err != nil {
		return stats, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	src.Dump = filepath.Join(dir, backup.DatabaseName)
	if err := postgres.Dump(ctx, b.cfg.Database, dsn, src.Dump); err != nil {
		return stats, err
	}
	drop, err := b.dumpDatabases(ctx, running) // after it, so that each one that it knows of is there
	defer drop()
	if err != nil {
		return stats, err
	}
	instance, err := b.folders.Instance()
	if err != nil {
		return stats, err
	}
	src.Manifest = backup.Manifest{Version: backup.Version, CreatedAt: time.Now().UTC(), Instance: instance, Running: running, Data: b.folders.Data}
	return writeBackup(name, stdout, src)
}

// writeBackup replaces the file once the backup is whole and on the disk.
func writeBackup(name string, stdout io.Writer, src backup.Source) (stats backup.Stats, err error) {
	if name == "-" {
		return backup.Write(stdout, src)
	}
	part, err := os.OpenFile(name+".part", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return stats, fmt.Errorf("making the backup: %w", err)
	}
	defer func() { _ = os.Remove(part.Name()) }() // after the rename there is none
	if stats, err = backup.Write(part, src); err == nil {
		err = part.Sync()
	}
	if err := errors.Join(err, part.Close()); err != nil {
		return stats, diskSentence(err)
	}
	return stats, os.Rename(part.Name(), name)
}

// hold takes the data folder for this process, where no platform has it.
func (b *backing) hold() (unlock func(), running bool, err error) {
	lock, err := os.OpenFile(b.folders.Sub("kurama.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, fmt.Errorf("the data folder %s cannot be used: %w", b.folders.Data, err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	return func() { _ = lock.Close() }, err != nil, nil
}

// database returns the address of the database; the private one of a platform
// that is stopped runs until stop is called.
func (b *backing) database(ctx context.Context, running bool) (dsn string, stop func(), err error) {
	stop = func() {}
	if b.cfg.Database.URL == "" && !running {
		if stop, err = b.startDatabase(ctx); err != nil {
			return "", nil, err
		}
	}
	dsn, err = postgres.DSN(b.cfg.Database, b.folders.Run)
	return dsn, stop, err
}

func (b *backing) startDatabase(ctx context.Context) (stop func(), err error) {
	server, err := postgres.NewServer(ctx, b.cfg.Database, b.folders.Data, b.folders.Socket("postgres"), logger(b.cfg, "database"))
	if err != nil {
		return nil, err
	}
	return runServer(ctx, server)
}

// runServer runs a database server until stop is called.
func runServer(ctx context.Context, server *postgres.Server) (stop func(), err error) {
	run, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Run(run) }()
	stop = func() { cancel(); <-done }
	wait, end := context.WithTimeout(ctx, time.Minute)
	defer end()
	if err := server.WaitReady(wait); err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

// sealPatience bounds the wait for one app's archive.
const sealPatience = 15 * time.Second

// seal asks the archive of a running platform to put what is on the stream
// into files. Where it does not answer, those records are on the stream alone.
func (b *backing) seal(ctx context.Context, dsn string) {
	log := logger(b.cfg, "backup")
	pool, err := postgres.Open(ctx, dsn, 2)
	if err != nil {
		log.Warn("the newest records were not sealed", "error", err)
		return
	}
	defer pool.Close()
	apps, err := store.New(pool).AllApps(ctx)
	if err != nil {
		log.Warn("the newest records were not sealed", "error", err)
		return
	}
	client := http.Client{Timeout: sealPatience, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", b.folders.Socket("archive.sock"))
		}}}
	defer client.CloseIdleConnections()
	for _, app := range apps {
		query := url.Values{"tenant": {app.Tenant}, "app": {app.Name}}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/seal?"+query.Encode(), nil)
		if err != nil {
			continue // the address is fixed
		}
		res, err := client.Do(req)
		if err != nil {
			log.Warn("the newest records of an app were not sealed", "app", app.Name, "error", err)
			return
		}
		_ = res.Body.Close()
	}
}
