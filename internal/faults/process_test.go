package faults

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// again is the pause before a role that ended is started again.
const again = 100 * time.Millisecond

// process keeps one role running as a child of its own, and does to it what
// the faults want.
type process struct {
	name string
	args []string
	host string   // name of the machine that it believes to run on; "": this one
	log  *os.File // what it says

	mu     sync.Mutex
	cmd    *exec.Cmd     // nil while it does not run
	gone   chan struct{} // closed when cmd has ended
	held   bool          // it is not started again
	wanted chan struct{} // one token when held was lifted
	ended  int           // how often it ended although nobody killed it
	doomed bool          // it was killed
	quit   chan struct{}
	done   chan struct{}
}

// keep starts the role and starts it again whenever it ends. It closes log
// at the end.
func keep(name string, args []string, log *os.File) *process {
	return keepOn("", name, args, log)
}

// keepOn is keep on a machine of that name, as far as the role can tell.
func keepOn(host, name string, args []string, log *os.File) *process {
	p := &process{name: name, args: args, host: host, log: log, wanted: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	go p.run()
	return p
}

// command makes the role's process.
func (p *process) command() *exec.Cmd {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	cmd := exec.Command(kurama, p.args...)
	if p.host != "" {
		cmd = exec.Command("sh", append([]string{"-c", `hostname "$0" && exec "$@"`, p.host, kurama}, p.args...)...)
		attr.Cloneflags = syscall.CLONE_NEWUTS
	}
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = p.log, p.log, attr
	return cmd
}

func (p *process) run() {
	runtime.LockOSThread() // the parent-death signal is bound to the thread that starts the child
	defer runtime.UnlockOSThread()
	defer close(p.done)
	for {
		if p.isHeld() {
			select {
			case <-p.quit:
				return
			case <-p.wanted:
			}
			continue
		}
		p.runOnce()
		select {
		case <-p.quit:
			return
		case <-time.After(again):
		}
	}
}

func (p *process) isHeld() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

func (p *process) runOnce() {
	cmd := p.command()
	p.mu.Lock()
	select {
	case <-p.quit:
		p.mu.Unlock()
		return
	default:
	}
	if err := cmd.Start(); err != nil {
		fmt.Fprintf(p.log, "starting %s: %v\n", p.name, err)
		p.mu.Unlock()
		return
	}
	p.cmd, p.gone, p.doomed = cmd, make(chan struct{}), false
	p.mu.Unlock()
	err := cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.doomed {
		p.ended++
		fmt.Fprintf(p.log, "faults: %s ended by itself: %v\n", p.name, err)
	}
	p.cmd = nil
	close(p.gone)
}

// signal sends sig and returns what is closed once the process is gone; nil
// where it does not run.
func (p *process) signal(sig syscall.Signal) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return nil
	}
	if sig == syscall.SIGKILL || sig == syscall.SIGTERM {
		p.doomed = true
	}
	_ = p.cmd.Process.Signal(sig) // one that has just ended needs none
	return p.gone
}

// kill ends the process as kill -9 does; it is started again.
func (p *process) kill() {
	if gone := p.signal(syscall.SIGKILL); gone != nil {
		<-gone
	}
}

// hold kills the process and keeps it down until release.
func (p *process) hold() {
	p.mu.Lock()
	p.held = true
	p.mu.Unlock()
	p.kill()
}

func (p *process) release() {
	p.mu.Lock()
	p.held = false
	p.mu.Unlock()
	select {
	case p.wanted <- struct{}{}:
	default:
	}
}

// stop ends the process for good, with sig.
func (p *process) stop(sig syscall.Signal) {
	p.mu.Lock()
	select {
	case <-p.quit:
	default:
		close(p.quit)
	}
	p.mu.Unlock()
	p.signal(syscall.SIGCONT)
	if gone := p.signal(sig); gone != nil {
		select {
		case <-gone:
		case <-time.After(20 * time.Second):
			fmt.Fprintf(p.log, "faults: %s does not stop\n", p.name)
			p.kill()
		}
	}
	<-p.done
	_ = p.log.Close() // stopped twice, it is closed
}

// endings returns how often the role ended although nobody killed it.
func (p *process) endings() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

// freezeOrThaw stops the process, or lets it go on.
func (p *process) freezeOrThaw(freeze bool) {
	if freeze {
		p.signal(syscall.SIGSTOP)
		return
	}
	p.signal(syscall.SIGCONT)
}
