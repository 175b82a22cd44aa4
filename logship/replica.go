package logship

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"kurama/logship/cgroup"
	"kurama/logship/engine"
	"kurama/logship/record"
)

const (
	// maxSessions bounds the connections of one replica.
	maxSessions = 64
	// resendRate and resendBurst bound how often one replica makes the agent read back the stream, per second.
	resendRate  = 1
	resendBurst = 8
)

// replica is one container that the agent takes care of.
type replica struct {
	id     string           // of the container
	who    engine.Container // identity; its state is in now
	found  bool             // it ran before the agent did
	folder string           // of its socket

	figures atomic.Pointer[figures]
	changed chan struct{} // one token when state changed
	resends *rate.Limiter // of reading back the stream

	mu       sync.Mutex
	now      engine.Container
	asOf     time.Time // when the engine said so
	gone     bool
	listener *net.UnixListener

	// Of the sampler alone.
	group  *cgroup.Group
	pid    int
	before cgroup.Usage
}

// figures are the four figures of a replica's last sample.
type figures struct{ cpu, disk, swap, mem record.Number }

// state returns the engine's last word on the container.
func (p *replica) state() (now engine.Container, gone bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now, p.gone
}

// set takes note of what the engine said at a time, unless it has said
// something newer. It reports whether the container is one that has just
// begun to run, and so has no figures yet.
func (p *replica) set(now engine.Container, gone bool, asOf time.Time) (began bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone || asOf.Before(p.asOf) {
		return false
	}
	p.asOf = asOf
	if gone {
		p.gone, p.now.Running, p.now.PID = true, false, 0
	} else {
		p.now = now
	}
	if !p.now.Running {
		p.figures.Store(nil) // a container that does not run has no figures
	}
	notify(p.changed)
	return p.now.Running && p.now.PID != 0 && p.figures.Load() == nil
}

// listen opens the replica's socket where it is not open, or its file is gone.
// A container that does not run may have no folder; that is no error.
func (p *replica) listen(ctx context.Context, serve func(*net.UnixListener)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	path := filepath.Join(p.folder, "log.sock")
	if _, err := os.Stat(p.folder); errors.Is(err, os.ErrNotExist) || p.gone || ctx.Err() != nil {
		return nil
	}
	if p.listener != nil {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		p.listener.Close()
		p.listener = nil
	}
	listener, err := listenUnix(path, 0o666)
	if err != nil {
		return err
	}
	p.listener = listener
	serve(listener)
	return nil
}

// waits reports whether a replica stands by for its release; section 5 of
// docs/design.md.
func (p *replica) waits() bool {
	if !p.who.Standby {
		return false
	}
	_, err := os.Stat(filepath.Join(p.folder, "standby"))
	return err == nil
}

func (p *replica) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		p.listener.Close()
		p.listener = nil
	}
}

// listenUnix opens a socket with the mode. What a predecessor left is
// replaced; the file stays when the listener closes, for a successor may have
// replaced it.
func listenUnix(path string, mode os.FileMode) (*net.UnixListener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("replacing the socket %s: %w", path, err)
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("opening the socket %s: %w", path, err)
	}
	listener.SetUnlinkOnClose(false)
	if err := os.Chmod(path, mode); err != nil {
		listener.Close()
		return nil, fmt.Errorf("opening the socket %s: %w", path, err)
	}
	return listener, nil
}

// safeName reports whether a label can name a folder below the run folder.
func safeName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}

// relist is how often the engine is asked for all replicas, in case an event
// was missed.
const relist = 15 * time.Second
