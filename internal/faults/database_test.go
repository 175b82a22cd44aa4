package faults

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kurama/internal/postgres"
)

// database is the private Postgres of an installation.
type database struct {
	in     *installation
	server *postgres.Server
	cancel context.CancelFunc
	done   chan struct{}
}

func newDatabase(in *installation) *database {
	in.t.Helper()
	out := in.logFile("postgres")
	in.t.Cleanup(func() { _ = out.Close() })
	log := slog.New(slog.NewTextHandler(out, nil))
	server, err := postgres.NewServer(in.t.Context(), in.cfg.Database, in.folders.Data, in.folders.Socket("postgres"), log)
	must(in.t, err)
	return &database{in: in, server: server}
}

// start starts the server and waits until it answers.
func (d *database) start() {
	d.in.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel, d.done = cancel, make(chan struct{})
	go func() {
		defer close(d.done)
		_ = d.server.Run(ctx) // it runs until cancelled
	}()
	d.await()
}

func (d *database) await() {
	d.in.t.Helper()
	wait, stop := context.WithTimeout(d.in.t.Context(), time.Minute)
	defer stop()
	must(d.in.t, d.server.WaitReady(wait))
}

// stop ends the server in PostgreSQL's fast mode; every connection breaks.
func (d *database) stop() {
	d.cancel()
	<-d.done
}

// kill ends the server with kill -9; its keeper starts it again.
func (d *database) kill() {
	pid, err := d.postmaster()
	must(d.in.t, err)
	must(d.in.t, syscall.Kill(pid, syscall.SIGKILL))
}

func (d *database) postmaster() (int, error) {
	text, err := os.ReadFile(filepath.Join(d.in.folders.Data, "postgres", "postmaster.pid"))
	if err != nil {
		return 0, fmt.Errorf("finding the database's process: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(strings.TrimSpace(line))
}

// copying returns the process ids of the backends that are in the middle of a
// COPY of records.
func (d *database) copying() ([]int, error) {
	rows, err := d.in.pool.Query(d.in.t.Context(), `SELECT pid FROM pg_stat_progress_copy WHERE command = 'COPY FROM'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var pids []int
	for rows.Next() {
		var pid int
		if err := rows.Scan(&pid); err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, rows.Err()
}
