package role

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Spec is one role to be kept running.
type Spec struct {
	Name   string
	Args   []string   // of this program
	Listen []*os.File // handed down as the role's listeners
	Nice   int        // added to the niceness, 0 to 19: how far the role stands back while there is too little CPU
}

// Supervisor runs roles as child processes and starts again those that end.
type Supervisor struct {
	Program    string // path of the executable
	Env        []string
	Output     io.Writer     // stdout and stderr of the roles
	StopAfter  time.Duration // between SIGTERM and SIGKILL
	BackoffMin time.Duration // first pause before a role is started again
	BackoffMax time.Duration // longest pause
	Log        *slog.Logger
}

// stable is how long a role must run for its back-off to start afresh.
const stable = 30 * time.Second

// Group is a set of running roles that are stopped in reverse order.
type Group struct {
	s     *Supervisor
	stops []func()
}

// NewGroup returns an empty group of s.
func (s *Supervisor) NewGroup() *Group { return &Group{s: s} }

// Start keeps the role of spec running until Stop.
func (g *Group) Start(spec Spec) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.keep(ctx, spec)
	}()
	g.stops = append(g.stops, func() { cancel(); <-done })
}

// Stop ends the roles, the last started first.
func (g *Group) Stop() {
	for i := len(g.stops) - 1; i >= 0; i-- {
		g.stops[i]()
	}
	g.stops = nil
}

// keep runs the role until ctx ends, with a growing pause after each end.
func (g *Group) keep(ctx context.Context, spec Spec) {
	runtime.LockOSThread() // the parent-death signal is bound to the thread that starts the child
	if spec.Nice == 0 {
		defer runtime.UnlockOSThread()
	} else if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, spec.Nice); err != nil { // the child inherits this thread's, which ends with this goroutine
		g.s.Log.Warn("a role cannot be told to stand back", "role", spec.Name, "nice", spec.Nice, "error", err)
	}
	pause := g.s.BackoffMin
	for {
		begun := time.Now()
		err := g.runOnce(ctx, spec)
		if ctx.Err() != nil {
			return
		}
		if time.Since(begun) > stable {
			pause = g.s.BackoffMin
		}
		g.s.Log.Warn("a role ended and is started again", "role", spec.Name, "after", time.Since(begun).Round(time.Millisecond),
			"pause", pause, "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, g.s.BackoffMax)
	}
}

func (g *Group) runOnce(ctx context.Context, spec Spec) error {
	cmd := exec.CommandContext(ctx, g.s.Program, spec.Args...)
	cmd.Env = g.s.Env
	cmd.Stdout, cmd.Stderr = g.s.Output, g.s.Output
	if len(spec.Listen) > 0 {
		cmd.ExtraFiles = spec.Listen
		cmd.Env = append(cmd.Env[:len(cmd.Env):len(cmd.Env)], listenEnv+"=3")
	}
	// Own process group: Ctrl-C on the terminal reaches the supervisor alone, which stops the roles in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = g.s.StopAfter
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", spec.Name, err)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w", spec.Name, err)
	}
	return errors.New("it ended by itself")
}
