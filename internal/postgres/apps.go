package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"

	"kurama/internal/config"
)

// AppsName is what the cluster of the apps' databases is called: its folder in
// the data folder, and that of its socket in the run folder.
const AppsName = "databases"

// standBack is the niceness of that cluster: Kurama's own goes first.
const standBack = 5

// NewAppsServer prepares the cluster of the apps' databases, in
// dataDir/databases with its socket in socketDir, which is mounted into their
// containers. Its clients are strangers to it and to one another:
//   - a role signs in by a password (SCRAM), and into the database alone whose
//     owner it is a member of; the cluster's own user is told by the operating system;
//   - nobody sees in its log what was asked;
//   - a process for a connection has a bound on its memory, which work_mem is not:
//     every role may raise that. No statement has more than one process.
func NewAppsServer(ctx context.Context, bin string, cfg config.Databases, dataDir, socketDir string, log *slog.Logger) (*Server, error) {
	s := &Server{log: log}
	if err := s.place(bin, dataDir, AppsName, socketDir); err != nil {
		return nil, err
	}
	s.settings = []string{"unix_socket_permissions=0777", "shared_buffers=" + kilobytes(cfg.SharedBuffers), "max_wal_size=1GB",
		"max_connections=" + strconv.Itoa(cfg.MaxConns), "superuser_reserved_connections=5", "authentication_timeout=10s", "password_encryption=scram-sha-256",
		"max_worker_processes=0", "max_logical_replication_workers=0", "wal_level=minimal", "max_wal_senders=0",
		"client_connection_check_interval=10s", "log_min_messages=log", "log_min_error_statement=panic"}
	s.before = []string{"/bin/sh", "-c", fmt.Sprintf(`ulimit -d %d && exec nice -n %d "$0" "$@"`, cfg.SessionMemory/config.KiB, standBack)}
	s.access = s.admitApps
	return s, s.initialise(ctx, "--auth-local=reject")
}

// admitApps writes who may come in by what
// (https://www.postgresql.org/docs/current/auth-pg-hba-conf.html).
func (s *Server) admitApps() error {
	for name, text := range map[string]string{
		"pg_hba.conf":   fmt.Sprintf("local all %q peer map=kurama\nlocal samerole all scram-sha-256\n", s.account.name),
		"pg_ident.conf": fmt.Sprintf("kurama root %q\nkurama %q %q\n", s.account.name, s.account.name, s.account.name),
	} {
		path := filepath.Join(s.data, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil { // that of initdb, so that its owner stays
			return fmt.Errorf("saying who may use the apps' databases: %w", err)
		}
	}
	return nil
}

// AppsDSN returns the address of a database of the apps' cluster for Kurama
// itself, where runDir is the run folder.
func AppsDSN(runDir, database string) (string, error) {
	acc, err := findAccount()
	if err != nil {
		return "", err
	}
	return SocketDSN(filepath.Join(runDir, AppsName), acc.name, database), nil
}
