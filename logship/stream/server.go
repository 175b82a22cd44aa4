package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"kurama/internal/config"
)

const (
	// maxPayload bounds one batch. Batches are sealed at logship.batch_bytes; one record may be longer than that.
	maxPayload = 8 << 20
	// maxMemory bounds what consumers without a file may use.
	maxMemory = 64 << 20
	// readyTimeout bounds the recovery of the files at the start.
	readyTimeout = 2 * time.Minute
	// healthEvery and maxSick bound how long a server that cannot store goes on: after a failed write (a full disk, a lost
	// permission) it takes nothing any more until it has opened its files anew.
	healthEvery = 500 * time.Millisecond
	maxSick     = 3
	// roomBytes must fit on the disk before a server is started on it.
	roomBytes = 4 << 20
	// roomEvery is the pause between two looks for room.
	roomEvery = 500 * time.Millisecond
)

// Server is the embedded JetStream.
type Server struct {
	nats  *server.Server
	fatal chan error
}

// NewServer starts a JetStream that listens on cfg.Listen (port 0 takes a
// free one), keeps its files in dir and lets in who knows token. It returns
// once clients can connect, which after a crash includes the recovery of the
// files. The caller must Run it, which also stops it.
func NewServer(cfg config.Stream, dir, token string, log *slog.Logger) (*Server, error) {
	opts, err := serverOptions(cfg, dir, token)
	if err != nil {
		return nil, err
	}
	warnOfSmallDisk(cfg, dir, log)
	ns, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("starting the stream in %s: %w", dir, err)
	}
	s := &Server{nats: ns, fatal: make(chan error, 1)}
	ns.SetLogger(&serverLog{log: log, fatal: s.fatal}, false, false)
	ns.Start()
	deadline := time.Now().Add(readyTimeout)
	for !ns.ReadyForConnections(100 * time.Millisecond) {
		select {
		case err := <-s.fatal:
			s.stop()
			return nil, fmt.Errorf("starting the stream on %s: %w", cfg.Listen, err)
		default:
		}
		if time.Now().After(deadline) {
			s.stop()
			return nil, fmt.Errorf("the stream on %s was not ready within %v", cfg.Listen, readyTimeout)
		}
	}
	return s, nil
}

func serverOptions(cfg config.Stream, dir, token string) (*server.Options, error) {
	host, portText, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("stream.listen %q is not host:port: %w", cfg.Listen, err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, fmt.Errorf("stream.listen %q has no port number: %w", cfg.Listen, err)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return &server.Options{
		ServerName: "kurama", Host: host, Port: port, Authorization: token,
		JetStream: true, StoreDir: dir, SyncAlways: cfg.Sync,
		JetStreamMaxStore: int64(cfg.MaxBytes) + 64<<20, JetStreamMaxMemory: maxMemory,
		MaxPayload: maxPayload, NoSigs: true, DisableJetStreamBanner: true,
	}, nil
}

func warnOfSmallDisk(cfg config.Stream, dir string, log *slog.Logger) {
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil {
		return // the folder is made by the server
	}
	if free := int64(fs.Bavail) * fs.Bsize; free < int64(cfg.MaxBytes) {
		log.Warn("The disk has less room than stream.max_bytes allows. Lower it, or free space.",
			"free", config.Bytes(free>>20<<20), "max_bytes", cfg.MaxBytes)
	}
}

// URL returns the address for Connect.
func (s *Server) URL() string { return s.nats.ClientURL() }

// Healthy returns an error where the stream cannot take batches, for example
// because its disk is full.
func (s *Server) Healthy() error {
	if h := s.nats.Healthz(nil); h.StatusCode >= 400 || h.Error != "" {
		return fmt.Errorf("the stream is not healthy: %s", h.Error)
	}
	return nil
}

// Run serves until ctx ends, then stops the server and returns nil. It
// returns an error when the server gives up, or can store nothing any more:
// it must then be started anew.
func (s *Server) Run(ctx context.Context) error {
	defer s.stop()
	look := time.NewTicker(healthEvery)
	defer look.Stop()
	for sick := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case err := <-s.fatal:
			return fmt.Errorf("the stream stopped: %w", err)
		case <-look.C:
		}
		err := s.Healthy()
		if err == nil {
			sick = 0
			continue
		}
		if sick++; sick == maxSick {
			return fmt.Errorf("the stream stopped and has to be started anew: %w", err)
		}
	}
}

// AwaitRoom waits until the disk of dir takes a few MiB: a server that is
// started on a full one cannot store and would only end again. Its error is
// ctx's, or that dir cannot be made.
func AwaitRoom(ctx context.Context, dir string, log *slog.Logger) error {
	if err := os.MkdirAll(dir, 0o750); err != nil && !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("making the stream's folder: %w", err)
	}
	for told := false; ; {
		err := probe(filepath.Join(dir, "room.tmp"))
		if err == nil {
			return nil
		}
		if !told {
			told = true
			log.Error("The stream waits for its disk: nothing can be written there. Free some space.", "folder", dir, "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(roomEvery):
		}
	}
}

// probe writes a file, durably, and removes it.
func probe(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, roomBytes))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(path))
}

func (s *Server) stop() {
	s.nats.Shutdown()
	s.nats.WaitForShutdown()
}

// serverLog hands the server's messages to slog.
type serverLog struct {
	log   *slog.Logger
	fatal chan<- error
}

func (l *serverLog) Noticef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }
func (l *serverLog) Warnf(format string, v ...any)   { l.log.Warn(fmt.Sprintf(format, v...)) }
func (l *serverLog) Errorf(format string, v ...any)  { l.log.Error(fmt.Sprintf(format, v...)) }
func (l *serverLog) Debugf(string, ...any)           {}
func (l *serverLog) Tracef(string, ...any)           {}

// Fatalf reports the end of the server to Run instead of ending the process.
func (l *serverLog) Fatalf(format string, v ...any) {
	select {
	case l.fatal <- fmt.Errorf(format, v...):
	default:
	}
}
