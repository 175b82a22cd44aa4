package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"kurama/internal/config"
)

// Server is the private Postgres: a cluster of Kurama's own that listens on a
// Unix socket alone and runs as an unprivileged user.
type Server struct {
	cfg     config.Database
	bin     string
	data    string // cluster folder, as its user reaches it
	socket  string // folder of the socket
	logFile string
	account account
	log     *slog.Logger
}

// NewServer prepares the cluster in dataDir/postgres with its socket in
// socketDir: it runs initdb when the cluster is new. It returns
// ErrNotInstalled where there are no PostgreSQL binaries.
func NewServer(ctx context.Context, cfg config.Database, dataDir, socketDir string, log *slog.Logger) (*Server, error) {
	bin, err := FindBinaries(cfg.Bin)
	if err != nil {
		return nil, err
	}
	acc, err := findAccount()
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, bin: bin, account: acc, log: log}
	if err := s.prepareFolders(dataDir, socketDir); err != nil {
		return nil, err
	}
	return s, s.initialise(ctx)
}

func (s *Server) prepareFolders(dataDir, socketDir string) error {
	abs, err := filepath.Abs(dataDir)
	if err != nil {
		return fmt.Errorf("resolving %s: %w", dataDir, err)
	}
	if s.data, err = s.account.reachable(filepath.Join(abs, "postgres")); err != nil {
		return err
	}
	if s.socket, err = s.account.reachable(socketDir); err != nil {
		return err
	}
	if err := s.account.own(s.data, 0o700); err != nil {
		return err
	}
	s.logFile = filepath.Join(abs, "postgres.log")
	return s.account.own(s.socket, 0o755)
}

// DSN returns the address of the cluster's database.
func (s *Server) DSN() string {
	return SocketDSN(s.socket, s.account.name, "postgres")
}

// SocketDSN returns the address of a database behind the socket folder dir.
func SocketDSN(dir, user, database string) string {
	q := url.Values{"host": {dir}, "port": {"5432"}}
	return (&url.URL{Scheme: "postgres", User: url.User(user), Path: "/" + database, RawQuery: q.Encode()}).String()
}

func (s *Server) initialise(ctx context.Context) error {
	if isFile(filepath.Join(s.data, "PG_VERSION")) {
		return nil
	}
	s.log.Info("making the private database", "folder", s.data)
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"), "-D", s.data, "--auth-local=trust", "--auth-host=reject",
		"--encoding=UTF8", "--locale=C.UTF-8", "--username="+s.account.name)
	cmd.SysProcAttr = s.account.credential()
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	cmd.Dir = "/"
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb could not make the database in %s: %w\n%s", s.data, err, bytes.TrimSpace(out))
	}
	return nil
}

// settings are the server's parameters. Durability stays on: fsync and
// synchronous commit are never touched.
func (s *Server) settings() []string {
	pairs := []string{
		"listen_addresses=", "unix_socket_directories=" + s.socket, "unix_socket_permissions=0700",
		"shared_buffers=" + fmt.Sprint(int64(s.cfg.SharedBuffers/config.KiB)) + "kB",
		"max_wal_size=4GB", "checkpoint_timeout=15min", "wal_compression=on", "wal_buffers=16MB",
		"max_connections=100", "log_min_messages=warning", "log_checkpoints=off", "jit=off", "timezone=UTC",
	}
	args := make([]string, 0, 2*len(pairs)+2)
	args = append(args, "-D", s.data)
	for _, p := range pairs {
		args = append(args, "-c", p)
	}
	return args
}

// Run keeps the server running until ctx ends, starting it again when it
// dies; then it stops it in PostgreSQL's fast mode.
func (s *Server) Run(ctx context.Context) error {
	runtime.LockOSThread() // the parent-death signal is bound to the thread that starts the child
	defer runtime.UnlockOSThread()
	for {
		err := s.runOnce(ctx)
		if ctx.Err() != nil {
			return nil
		}
		s.log.Error("the database stopped; starting it again", "error", err, "log", s.logFile)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

func (s *Server) runOnce(ctx context.Context) error {
	out, err := os.OpenFile(s.logFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening the database's log: %w", err)
	}
	defer func() { _ = out.Close() }()
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "postgres"), s.settings()...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Dir = "/"
	cmd.SysProcAttr = s.account.credential()
	cmd.SysProcAttr.Setpgid = true // Ctrl-C on the terminal is the supervisor's to handle
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return errors.New("postgres ended by itself")
}

// WaitReady waits until the server takes connections, or ctx ends.
func (s *Server) WaitReady(ctx context.Context) error {
	var last error
	for ctx.Err() == nil {
		pool, err := Open(ctx, s.DSN(), 2)
		if err == nil {
			pool.Close()
			return nil
		}
		last = err
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("the database did not start: %w (its log ends: %s)", last, s.lastLines(3))
}

func (s *Server) lastLines(n int) string {
	text, err := os.ReadFile(s.logFile)
	if err != nil {
		return "no log"
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], " | ")
}
