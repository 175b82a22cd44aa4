package runtime

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// nuisances is an app that takes too much of one thing until it is told to stop.
const nuisances = `
import os, time
mode = os.environ["MODE"]
def flood():
    os.write(1, b"noise " * 1000 + b"\n")
def light():
    end = time.thread_time() + 0.004
    while time.thread_time() < end: pass
    time.sleep(0.02)
def burn():
    end = time.thread_time() + 0.1
    while time.thread_time() < end: pass
work = globals()[mode]
while not os.path.exists("/tmp/stop"): work()
while True: time.sleep(1)
`

// said collects what is told of replicas.
type said struct {
	mu   sync.Mutex
	last map[string]string
}

func (s *said) tell(replica string, slowed bool, says string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last[replica] = strconv.FormatBool(slowed) + " " + says
}

func (s *said) of(replica string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last[replica]
}

func (s *said) all() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.last)
}

func TestNeighboursAreKeptFromEachOther(t *testing.T) {
	e, spec := setup(t, map[string]string{"server.py": nuisances})
	e.cfg.OutputRate = 256 << 10
	heard := &said{last: map[string]string{}}
	k := e.newKeeper(0.1, heard.tell) // of a host so small that what the test gets of this one is much
	keeping, end := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- k.run(keeping) }()
	defer func() { end(); <-ended }()

	group := map[string]string{}
	start := func(tenant, mode string) {
		t.Helper()
		spec.Tenant, spec.App, spec.Replica, spec.Env = tenant, mode, mode+"-1-aaaaaa", map[string]string{"MODE": mode}
		c, err := e.Start(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		group[mode] = filepath.Join(e.shareName(tenant), c.Container)
	}
	becomes := func(what string, is func() bool) {
		t.Helper()
		for deadline := time.Now().Add(90 * time.Second); !is(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("within 90 s it did not come to pass: %s. Told: %v", what, heard.all())
			}
		}
	}
	stop := func(mode string) {
		t.Helper()
		if exit, err := e.Exec(t.Context(), mode+"-1-aaaaaa", []string{"touch", "/tmp/stop"}, func(_, line string) { t.Log(line) }); err != nil || exit != 0 {
			t.Fatal(exit, err)
		}
	}
	t.Run("a replica that writes more than the engine can keep is slowed until it stops", func(t *testing.T) {
		start("loud", "flood")
		becomes("it is told that it is slowed", func() bool {
			return strings.HasPrefix(heard.of("flood-1-aaaaaa"), "true") && strings.Contains(heard.of("flood-1-aaaaaa"), "docker.output_rate")
		})
		becomes("its bound is a fifth of its limit", func() bool { return bound(t, k.kernel, group["flood"]) <= spec.Limits.CPU/5 })
		stop("flood")
		becomes("it is told that it has its CPU again", func() bool { return strings.HasPrefix(heard.of("flood-1-aaaaaa"), "false") })
		if got := bound(t, k.kernel, group["flood"]); got != spec.Limits.CPU {
			t.Errorf("it may use %g cores, and its limit is %g", got, spec.Limits.CPU)
		}
	})
	t.Run("who takes much yields to who takes little, and no longer", func(t *testing.T) {
		start("greedy", "burn")
		start("modest", "light")
		becomes("the greedy one has a tenth of the modest one's weight", func() bool {
			return weight(t, k.kernel, e.shareName("greedy")) <= weight(t, k.kernel, e.shareName("modest"))/10
		})
		stop("burn")
		becomes("it has its weight again", func() bool { return weight(t, k.kernel, e.shareName("greedy")) >= 99 })
	})
	t.Run("a replica that an earlier process has left slowed gets its CPU back, though it takes none and the host is calm", func(t *testing.T) {
		end()
		<-ended
		if err := k.kernel.bound(group["flood"], spec.Limits.CPU/100); err != nil {
			t.Fatal(err)
		}
		calm, end := context.WithCancel(t.Context())
		defer end()
		go func() { ended <- e.newKeeper(1000, heard.tell).run(calm) }()
		becomes("its bound is its limit", func() bool { return bound(t, k.kernel, group["flood"]) == spec.Limits.CPU })
	})
}

// bound returns the cores that a group may use at the most.
func bound(t *testing.T, k kernel, group string) float64 {
	t.Helper()
	file := "cpu.cfs_quota_us"
	if k.version2 {
		file = "cpu.max"
	}
	return number(t, filepath.Join(k.folder("cpu", group), file)) / cpuPeriod
}

// weight returns that of a group, of which 100 is the usual one.
func weight(t *testing.T, k kernel, group string) float64 {
	t.Helper()
	if k.version2 {
		return number(t, filepath.Join(k.folder("cpu", group), "cpu.weight"))
	}
	return number(t, filepath.Join(k.folder("cpu", group), "cpu.shares")) / sharesPerWeight
}

func number(t *testing.T, file string) float64 {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
