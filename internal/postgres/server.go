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
	"slices"
	"strings"
	"syscall"
	"time"

	"kurama/internal/config"
)

// Server is a Postgres cluster that Kurama runs: it listens on a Unix socket
// alone and runs as an unprivileged user.
type Server struct {
	bin     string
	data    string // cluster folder, as its user reaches it
	socket  string // folder of the socket
	logFile string
	account account
	log     *slog.Logger

	settings []string     // parameters, name=value
	access   func() error // says who may come in, before each start; nil: whoever reaches the socket
	before   []string     // argv that runs the server's
}

// NewServer prepares Kurama's own cluster in dataDir/postgres with its socket
// in socketDir: it runs initdb when the cluster is new. It returns
// ErrNotInstalled where there are no PostgreSQL binaries.
func NewServer(ctx context.Context, cfg config.Database, dataDir, socketDir string, log *slog.Logger) (*Server, error) {
	s := &Server{log: log}
	if err := s.place(cfg.Bin, dataDir, "postgres", socketDir); err != nil {
		return nil, err
	}
	// Durability stays on: fsync and synchronous commit are never touched.
	s.settings = []string{"unix_socket_permissions=0700", "shared_buffers=" + kilobytes(cfg.SharedBuffers),
		"max_wal_size=4GB", "wal_buffers=16MB", "max_connections=100", "log_min_messages=warning"}
	return s, s.initialise(ctx, "--auth-local=trust")
}

// place finds the programs and the user of the cluster, and makes its folders.
func (s *Server) place(bin, dataDir, name, socketDir string) (err error) {
	if s.bin, err = FindBinaries(bin); err != nil {
		return err
	}
	if s.account, err = findAccount(); err != nil {
		return err
	}
	abs, err := filepath.Abs(dataDir)
	if err != nil {
		return fmt.Errorf("resolving %s: %w", dataDir, err)
	}
	if s.data, err = s.account.reachable(filepath.Join(abs, name)); err != nil {
		return err
	}
	if s.socket, err = s.account.reachable(socketDir); err != nil {
		return err
	}
	if err := s.account.own(s.data, 0o700); err != nil {
		return err
	}
	s.logFile = filepath.Join(abs, name+".log")
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

func (s *Server) initialise(ctx context.Context, auth string) error {
	if isFile(filepath.Join(s.data, "PG_VERSION")) {
		return nil
	}
	s.log.Info("making a database cluster", "folder", s.data)
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"), "-D", s.data, auth, "--auth-host=reject",
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

// command returns the server's argv.
func (s *Server) command() []string {
	argv := append(slices.Clone(s.before), filepath.Join(s.bin, "postgres"), "-D", s.data)
	for _, pair := range append([]string{"listen_addresses=", "unix_socket_directories=" + s.socket, "wal_compression=on",
		"checkpoint_timeout=15min", "log_checkpoints=off", "jit=off", "timezone=UTC"}, s.settings...) {
		argv = append(argv, "-c", pair)
	}
	return argv
}

func kilobytes(n config.Bytes) string { return fmt.Sprintf("%dkB", int64(n/config.KiB)) }

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
	if s.access != nil {
		if err := s.access(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go s.boundLog(ctx)
	argv := s.command()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
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

// The log of a server is looked at so often, and begins anew at so many bytes:
// whoever may connect can make it write.
const (
	logLook = time.Minute
	maxLog  = 16 << 20
)

func (s *Server) boundLog(ctx context.Context) {
	tick := time.NewTicker(logLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if info, err := os.Stat(s.logFile); err == nil && info.Size() > maxLog {
			if err := os.Truncate(s.logFile, 0); err != nil { // the server appends
				s.log.Warn("the database's log grows on", "log", s.logFile, "error", err)
			}
		}
	}
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
