//go:build long

package faults

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// steppedSource is added to the package time: it maps the file.
const steppedSource = `package time

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

var stepWord = mapStep()

func mapStep() *int64 {
	path, ok := syscall.Getenv("` + clockVariable + `")
	if !ok {
		return new(int64)
	}
	fd, err := syscall.Open(path, syscall.O_RDONLY, 0)
	if err != nil {
		panic("opening " + path + ": " + err.Error())
	}
	word, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic("mapping " + path + ": " + err.Error())
	}
	return (*int64)(unsafe.Pointer(&word[0]))
}

func stepOfTheClock() int64 {
	if stepWord == nil {
		return 0
	}
	return atomic.LoadInt64(stepWord)
}
`

// steppedProgram builds a program with a package time of its own, whose wall
// clock the test steps while the monotonic one goes on, as when somebody sets
// the machine's clock. That cannot be done to the machine itself: others work
// on it. Everything is compiled anew, which is why only the long form does it.
func steppedProgram(t *testing.T, dir, pkg string) string {
	t.Helper()
	root := run(t, "go", "env", "GOROOT")
	path := filepath.Join(root, "src", "time", "time.go")
	source, err := os.ReadFile(path)
	must(t, err)
	const call = "sec, nsec, mono := runtimeNow()\n"
	changed := strings.Replace(string(source), call, call+"\tsec += stepOfTheClock()\n", 1)
	if changed == string(source) {
		t.Fatalf("%s has another form than this test knows: there is no %q", path, call)
	}
	replaced := filepath.Join(dir, "time.go")
	added := filepath.Join(dir, "stepped.go")
	must(t, os.WriteFile(replaced, []byte(changed), 0o600))
	must(t, os.WriteFile(added, []byte(steppedSource), 0o600))
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {path: replaced, filepath.Join(filepath.Dir(path), "stepped.go"): added}})
	must(t, err)
	list := filepath.Join(dir, "overlay.json")
	must(t, os.WriteFile(list, overlay, 0o600))
	program := filepath.Join(dir, filepath.Base(pkg))
	build := exec.Command("go", "build", "-overlay", list, "-o", program, pkg)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", pkg, err, out)
	}
	return program
}

// clock is the wall clock of the platform and of all that sends to it.
type clock struct {
	t    *testing.T
	file *os.File
}

// newClock makes the file, which shows the machine's time.
func newClock(t *testing.T, path string) *clock {
	t.Helper()
	f, err := os.Create(path)
	must(t, err)
	c := &clock{t: t, file: f}
	t.Cleanup(func() {
		stepped.Store(0)
		_ = f.Close()
	})
	c.set(0)
	return c
}

// set makes the clock show the machine's time and by.
func (c *clock) set(by time.Duration) {
	c.t.Helper()
	var word [8]byte
	binary.NativeEndian.PutUint64(word[:], uint64(int64(by/time.Second)))
	_, err := c.file.WriteAt(word[:], 0)
	must(c.t, err)
	stepped.Store(int64(by))
}

// TestTheClockIsSteppedByAnHourBothWays steps the wall clock of every role and
// of every sender under load, kills roles before and after, and looks for each
// number once and in order, for alerts that go on, and for a live view that
// shows what comes. Postgres and the engine keep the machine's time.
func TestTheClockIsSteppedByAnHourBothWays(t *testing.T) {
	before := [2]string{kurama, talker}
	dir := t.TempDir()
	kurama, talker = steppedProgram(t, dir, "kurama/cmd/kurama"), steppedProgram(t, dir, "./testdata/talker")
	t.Cleanup(func() { kurama, talker = before[0], before[1] })
	var hands *clock
	in := install(t, func(data string) {
		path := filepath.Join(data, "clock")
		hands = newClock(t, path)
		t.Setenv(clockVariable, path)
	}).start("alpha", "web", "gamma")
	dice := random(9)
	a, web, pulse := in.logs("alpha", "a", 300), in.requests("web", "w", 200), in.alarm("pulse")
	talking := in.container("gamma-1-aaaaaa", "-rate", "50")
	died := 0
	for _, by := range []time.Duration{time.Hour, 0, -time.Hour, 0, time.Hour, -time.Hour} {
		pause(t, time.Duration(1000+dice.IntN(1000))*time.Millisecond)
		if dice.IntN(2) == 0 {
			in.killAll("logship", "stream")
		}
		hands.set(by)
		t.Logf("the clock is off by %s", by)
		in.goesOn(web, pulse)
		for _, victims := range [][]string{{"logship"}, {"stream", "logship"}, {"persist", "archive", "profile"}, {"alert", "dashboard"}} {
			in.killAll(victims...)
			pause(t, time.Duration(200+dice.IntN(500))*time.Millisecond)
		}
		died++
		in.awaitReady(chain...)
		in.goesOn(web, pulse)
	}
	all := append([]series{a.stop(), web.stop()}, talking.finish()...)
	in.verify(all...)
	in.rolledUp("web", all[1].n)
	pulse.verify(died)
}

// goesOn waits until the live view shows requests of the present second, and
// the alert has had another turn.
func (in *installation) goesOn(web *sender, pulse *alarm) {
	in.t.Helper()
	turns := pulse.turns.Load()
	eventually(in.t, arrival, func() error {
		f, err := in.snapshot(web.app)
		if err != nil {
			return err
		}
		newest := int64(0)
		for _, p := range f.Points {
			if p.Requests > 0 {
				newest = max(newest, p.Second)
			}
		}
		if off := now().Unix() - newest; off < -5 || off > 5 {
			return fmt.Errorf("the newest second with requests on the live view is %d s behind", off)
		}
		return nil
	})
	eventually(in.t, arrival, func() error {
		if pulse.turns.Load() == turns {
			state, err := pulse.state(in.t.Context())
			return fmt.Errorf("the alert stands still: it is %s (%v)", state, err)
		}
		return nil
	})
}
