//go:build long

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// talkative is an app whose processes number what they log, and what they write
// to the container's output past the library, under a name of their own.
const talkative = `import itertools, logging, os, threading, time, uuid
from flask import Flask

app = Flask(__name__)
log = logging.getLogger("talk")
log.setLevel(logging.INFO)
run = uuid.uuid4().hex[:12]

@app.get("/")
def home():
    return run

def talk():
    for n in itertools.count():
        log.info("%s-log:%d", run, n)
        os.write(1, b"%s-out:%d\n" % (run.encode(), n))
        time.sleep(0.02)

threading.Thread(target=talk, daemon=True).start()
`

// engine is a Docker engine of the test's own: the machine's is others' too.
type engine struct {
	t    *testing.T
	dir  string
	live bool // its containers outlive it
	cmd  *exec.Cmd
}

func startEngine(t *testing.T, live bool) *engine {
	t.Helper()
	dir, err := os.MkdirTemp("", "ke-")
	must(t, err)
	e := &engine{t: t, dir: dir, live: live}
	t.Cleanup(e.clear)
	e.link("add", e.bridge(), "type", "bridge")
	e.link("set", e.bridge(), "up")
	if out, err := exec.Command("ip", "addr", "add", "10.230.0.1/24", "dev", e.bridge()).CombinedOutput(); err != nil {
		t.Fatalf("the address of %s: %v\n%s", e.bridge(), err, out)
	}
	e.start()
	t.Cleanup(e.stop)
	e.take("kurama-bootstrap")
	return e
}

func (e *engine) host() string { return "unix://" + filepath.Join(e.dir, "docker.sock") }

// bridge is the engine's default one. It needs one of its own: without any it
// removes docker0, which is the machine's engine's.
func (e *engine) bridge() string { return filepath.Base(e.dir) }

func (e *engine) link(args ...string) {
	e.t.Helper()
	if out, err := exec.Command("ip", append([]string{"link"}, args...)...).CombinedOutput(); err != nil {
		e.t.Errorf("ip link %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// clear removes the bridge and the folder. An engine that is killed leaves
// mounts there, which the next one does not take for its own.
func (e *engine) clear() {
	e.link("del", e.bridge())
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		e.t.Error(err)
	}
	var left []string
	for line := range strings.Lines(string(table)) {
		if at := strings.Fields(line)[4]; strings.HasPrefix(at, e.dir+"/") {
			left = append(left, at)
		}
	}
	for _, at := range slices.Backward(left) { // the innermost first
		if err := syscall.Unmount(at, syscall.MNT_DETACH); err != nil {
			e.t.Errorf("unmounting %s: %v", at, err)
		}
	}
	_ = os.RemoveAll(e.dir)
}

func (e *engine) start() {
	e.t.Helper()
	out, err := os.OpenFile(filepath.Join(e.dir, "engine.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	must(e.t, err)
	defer func() { _ = out.Close() }()
	args := []string{"--host", e.host(), "--data-root", filepath.Join(e.dir, "data"), "--exec-root", filepath.Join(e.dir, "run"),
		"--pidfile", filepath.Join(e.dir, "pid"), "--bridge=" + e.bridge(), "--iptables=false", "--ip-masq=false"}
	if e.live {
		args = append(args, "--live-restore")
	}
	e.cmd = exec.Command("dockerd", args...)
	e.cmd.Stdout, e.cmd.Stderr = out, out
	must(e.t, e.cmd.Start())
	eventually(e.t, time.Minute, func() error {
		_, err := e.docker("version")
		return err
	})
}

// kill ends the engine, and with it its containerd, as kill -9 does.
func (e *engine) kill() {
	e.t.Helper()
	must(e.t, e.cmd.Process.Signal(syscall.SIGKILL))
	_ = e.cmd.Wait() // "killed" is what was asked for
}

// stop removes all that the engine holds, and ends it.
func (e *engine) stop() {
	if ids, err := e.docker("ps", "-aq"); err == nil && ids != "" {
		_, _ = e.docker(append([]string{"rm", "-f"}, strings.Fields(ids)...)...)
	}
	if ids, err := e.docker("network", "ls", "-q", "--filter", "type=custom"); err == nil && ids != "" {
		_, _ = e.docker(append([]string{"network", "rm"}, strings.Fields(ids)...)...)
	}
	if err := e.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		e.t.Error(err)
	}
	_ = e.cmd.Wait()
	if e.t.Failed() {
		text, _ := os.ReadFile(filepath.Join(e.dir, "engine.log"))
		e.t.Logf("the engine said last:\n%s", text[max(0, len(text)-4000):])
	}
}

// docker asks the test's engine.
func (e *engine) docker(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "docker", append([]string{"--host", e.host()}, args...)...).Output()
	return strings.TrimSpace(string(out)), err
}

// take copies an image from the machine's engine, where it is there.
func (e *engine) take(image string) {
	e.t.Helper()
	id, err := exec.Command("docker", "images", "--format", "{{.Repository}}:{{.Tag}}", image).Output()
	must(e.t, err)
	names := strings.Fields(string(id))
	if len(names) == 0 {
		return // the platform makes its own
	}
	script := `docker save "$1" | docker --host "$0" load`
	if out, err := exec.Command("sh", "-c", script, e.host(), names[0]).CombinedOutput(); err != nil {
		e.t.Fatalf("copying %s: %v\n%s", names[0], err, out)
	}
}

// kept returns the lines of a series that the engine has of a container's
// output.
func (e *engine) kept(id, series string) (list []int) {
	e.t.Helper()
	path := filepath.Join(e.dir, "data", "containers", id, id+"-json.log")
	file, err := os.Open(path)
	must(e.t, err)
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Log string `json:"log"`
		}
		must(e.t, json.Unmarshal(lines.Bytes(), &line))
		var n int
		if _, err := fmt.Sscanf(line.Log, series+":%d\n", &n); err == nil {
			list = append(list, n)
		}
	}
	return list
}

// TestTheEngineIsKilledAndStartedAgain kills an engine under a platform whose
// app has two replicas that talk. Without live-restore the engine kills its
// containers when it comes back, with it they live on.
func TestTheEngineIsKilledAndStartedAgain(t *testing.T) {
	for name, live := range map[string]bool{"its containers die with it": false, "its containers live on": true} {
		t.Run(name, func(t *testing.T) {
			e := startEngine(t, live)
			t.Setenv("DOCKER_HOST", e.host())
			p, err := newPlatform("docker: {network_pool: 10.231.0.0/16}\n")
			must(t, err)
			t.Cleanup(func() { _ = os.RemoveAll(p.data) })
			must(t, p.start())
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("the platform said:\n%s", p.out)
				}
				_ = p.stop()
			})
			p.must(t, "deploy", writeApp(t, map[string]string{"app.py": talkative}), "--app", "talk")
			p.must(t, "scale", "talk", "2")
			pool := p.pool(t)
			defer pool.Close()
			talks(t, pool, time.Now(), nil)
			before, former := e.replicas(), []string(nil)
			if !live {
				former = runs(t, pool)
			}

			e.kill()
			failed := asked(p.host("talk")+"/", 3*time.Second)
			if failed > 0 {
				t.Errorf("%d requests failed while the engine was away and its containers were not", failed)
			}
			e.start()
			back := time.Now()
			eventually(t, 2*time.Minute, func() error { return get(p.host("talk") + "/") })
			talks(t, pool, back, former)
			after := e.replicas()
			t.Logf("two replicas are routed and talk %s after the engine was back", time.Since(back).Round(100*time.Millisecond))
			if same := slices.Equal(before, after); same != live {
				t.Errorf("containers before:\n%s\nafter:\n%s", before, after)
			}
			settled(t, pool, back, former)
			complete(t, pool)
			if live {
				for _, one := range after {
					id, _, _ := strings.Cut(one, " ")
					asTheEngineHasThem(t, pool, e, id)
				}
			}
		})
	}
}

// replicas returns the app's containers, and when each was started.
func (e *engine) replicas() []string {
	e.t.Helper()
	ids, err := e.docker("ps", "-q", "--no-trunc", "--filter", "label=kurama.app=talk", "--filter", "label=kurama.kind=replica")
	must(e.t, err)
	list, err := e.docker(append([]string{"inspect", "--format", "{{.Id}} {{.State.StartedAt}}"}, strings.Fields(ids)...)...)
	must(e.t, err)
	all := strings.Split(list, "\n")
	slices.Sort(all)
	return all
}

// runs returns the names of the processes that have logged so far.
func runs(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	rows, err := pool.Query(t.Context(), `SELECT DISTINCT split_part(msg, '-', 1) FROM records WHERE app = 'talk' AND msg LIKE '%-log:%'`)
	must(t, err)
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	return list
}

// asked asks an address for a while, and returns how many requests failed.
func asked(address string, spell time.Duration) (failed int) {
	var bad atomic.Int64
	for end := time.Now().Add(spell); time.Now().Before(end); {
		if get(address) != nil {
			bad.Add(1)
		}
	}
	return int(bad.Load())
}

// talks waits until two replicas have logged since then, by other processes
// than the former ones.
func talks(t *testing.T, pool *pgxpool.Pool, since time.Time, former []string) {
	t.Helper()
	eventually(t, 2*time.Minute, func() error {
		var replicas int
		err := pool.QueryRow(t.Context(), `SELECT count(DISTINCT replica) FROM records WHERE app = 'talk' AND ts > $1 AND msg LIKE '%-log:%'
			AND split_part(msg, '-', 1) <> ALL($2)`, since, append([]string{}, former...)).Scan(&replicas)
		if err == nil && replicas < 2 {
			err = fmt.Errorf("%d replicas have logged since %s", replicas, since)
		}
		return err
	})
}

// settled waits until all that was logged so far is there: each process that
// has logged since then, but for the former ones, has told of later.
func settled(t *testing.T, pool *pgxpool.Pool, since time.Time, former []string) {
	t.Helper()
	now := time.Now()
	eventually(t, time.Minute, func() error {
		var earliest *time.Time
		err := pool.QueryRow(t.Context(), `SELECT min(newest) FROM (SELECT max(ts) AS newest FROM records
			WHERE app = 'talk' AND ts > $1 AND msg ~ '-(log|out):' AND split_part(msg, '-', 1) <> ALL($2)
			GROUP BY split_part(msg, ':', 1)) AS each`, since, append([]string{}, former...)).Scan(&earliest)
		if err == nil && (earliest == nil || earliest.Before(now)) {
			err = fmt.Errorf("the newest records are of %v", earliest)
		}
		return err
	})
}

// complete checks that what each process logged is there from its first number
// on, each once, in order.
func complete(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	for series, list := range numbered(t, pool) {
		missing, twice := gaps(list)
		if strings.HasSuffix(series, "-log") && len(missing) > 0 || twice > 0 {
			t.Errorf("%s: of %d numbers %d are there twice, missing %v", series, len(list), twice, missing)
		}
		t.Logf("%s: %d numbers, missing %v", series, len(list), missing)
	}
}

// gaps returns what is missing below the highest number of a list, and how many
// are there more than once.
func gaps(list []int) (missing []int, twice int) {
	slices.Sort(list)
	next := 0
	for _, n := range list {
		if n < next {
			twice++
		}
		for ; next < n; next++ {
			missing = append(missing, next)
		}
		next = max(next, n+1)
	}
	return missing, twice
}

// numbered returns the numbers of each series in Postgres.
func numbered(t *testing.T, pool *pgxpool.Pool) map[string][]int {
	t.Helper()
	rows, err := pool.Query(t.Context(), `SELECT split_part(msg, ':', 1), split_part(msg, ':', 2)::int FROM records
		WHERE app = 'talk' AND msg ~ '^[0-9a-f]{12}-(log|out):[0-9]+$'`)
	must(t, err)
	all := map[string][]int{}
	var series string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&series, &n}, func() error {
		all[series] = append(all[series], n)
		return nil
	})
	must(t, err)
	if len(all) < 4 {
		t.Fatalf("only %d series came", len(all))
	}
	return all
}

// asTheEngineHasThem checks that Postgres has of a container's output what the
// engine has: what that loses when it is killed nobody can know.
func asTheEngineHasThem(t *testing.T, pool *pgxpool.Pool, e *engine, id string) {
	t.Helper()
	for series, list := range numbered(t, pool) {
		if !strings.HasSuffix(series, "-out") {
			continue
		}
		slices.Sort(list)
		engines := e.kept(id, series)
		if len(engines) == 0 {
			continue // another container's
		}
		upto := min(list[len(list)-1], engines[len(engines)-1])
		here := slices.DeleteFunc(list, func(n int) bool { return n > upto })
		there := slices.DeleteFunc(engines, func(n int) bool { return n > upto })
		if !slices.Equal(here, there) {
			t.Errorf("%s: Postgres has %d numbers up to %d, the engine %d", series, len(here), upto, len(there))
		}
	}
}
