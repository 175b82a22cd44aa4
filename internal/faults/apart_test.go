package faults

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"kurama/internal/config"
	"kurama/logship/record"
)

// TestThePiecesRunApartOnAnExternalCluster starts each role alone, by
// `kurama ROLE`, in a folder of its own and on a machine of its own name, on a
// NATS cluster of three servers that Kurama did not start. Two agents send;
// a server of the cluster leaves and comes back, and roles are killed.
func TestThePiecesRunApartOnAnExternalCluster(t *testing.T) {
	t.Parallel()
	in := install(t, nil)
	in.startDatabase()
	t.Cleanup(in.db.stop)
	in.app("here")
	in.app("there")
	nodes := newCluster(t, 3)
	far := &farm{in: in, roles: map[string]*process{}, text: fmt.Sprintf(apart, nodes.url(), in.db.server.DSN(), freePorts(t, 1)[0])}
	t.Cleanup(far.stop)
	here, there := far.machine("here"), far.machine("there")
	far.start("here", "logship", here)
	far.start("there", "logship", there)
	far.start("sinks", "archive", in.folders.Data) // where the ledger looks for it
	for _, name := range []string{"persist", "profile", "alert", "dashboard"} {
		far.start("sinks", name, far.machine(name))
	}
	a := far.logs("here", here)
	b := far.logs("there", there)
	pause(t, time.Second)
	for i, n := range nodes.servers { // each once, the stream's leader among them
		n.Shutdown()
		n.WaitForShutdown()
		far.roles[[]string{"here/logship", "sinks/persist", "sinks/archive"}[i]].kill()
		pause(t, 500*time.Millisecond)
		nodes.serve(i)
		nodes.await()
	}
	sent := []series{a.stop(), b.stop()}
	in.verify(sent...)
	for _, s := range sent {
		if s.n == 0 {
			t.Errorf("nothing was sent of %s", s.app)
		}
	}
	in.hosts("here", "there")
}

// apart are settings for roles on several machines.
const apart = `
stream: {url: '%s', replicas: 3, max_bytes: 64MiB}
database: {url: '%s', max_conns: 4}
dashboard: {listen: '127.0.0.1:%s'}
archive: {seal_age: 1s}
`

// hosts checks that the samples of all machines came.
func (in *installation) hosts(names ...string) {
	in.t.Helper()
	for _, name := range names {
		eventually(in.t, arrival, func() error {
			var n int
			err := in.pool.QueryRow(in.t.Context(), `SELECT count(*) FROM records WHERE tenant = '' AND kind = $1 AND replica = $2`, int16(record.KindSample), name).Scan(&n)
			if err == nil && n == 0 {
				err = fmt.Errorf("the machine %s sent no sample of itself", name)
			}
			return err
		})
	}
}

// farm are roles on machines of their own.
type farm struct {
	in    *installation
	text  string // of the configuration
	roles map[string]*process
}

// machine makes the data folder of one.
func (f *farm) machine(name string) string {
	f.in.t.Helper()
	dir, err := os.MkdirTemp("", "kf-"+name+"-")
	must(f.in.t, err)
	f.in.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (f *farm) start(host, role, data string) {
	f.in.t.Helper()
	path := filepath.Join(filepath.Dir(f.in.config), host+"-"+role+".yaml")
	must(f.in.t, os.WriteFile(path, []byte(f.text), 0o600))
	f.roles[host+"/"+role] = keepOn(host, role, []string{role, "--config", path, "--data", data}, f.in.logFile(host+"-"+role))
}

// logs sends records of an app to the agent on the machine with that folder.
func (f *farm) logs(app, data string) *sender {
	f.in.t.Helper()
	cfg := config.Default()
	cfg.Data = data
	folders, err := cfg.Folders()
	must(f.in.t, err)
	return f.in.send(app, "s", folders.Socket("agent.sock"), 300, func(n int) *record.Record {
		return logRecord(app, app+"-1-aaaaaa", numbered("s", n))
	})
}

func (f *farm) stop() {
	for _, p := range f.roles {
		p.stop(syscall.SIGTERM)
	}
	if f.in.t.Failed() {
		for name := range f.roles {
			f.in.t.Logf("%s said last:\n%s", name, f.in.lastWords(strings.ReplaceAll(name, "/", "-"), 8))
		}
	}
}

// cluster is an external NATS with JetStream.
type cluster struct {
	t       testing.TB
	ports   []string // of the clients, then of the servers among themselves
	dirs    []string
	servers []*server.Server
}

const clusterToken = "apart"

func newCluster(t testing.TB, n int) *cluster {
	t.Helper()
	c := &cluster{t: t, ports: freePorts(t, 2*n), servers: make([]*server.Server, n)}
	for i := range n {
		c.dirs = append(c.dirs, t.TempDir())
		c.serve(i)
	}
	t.Cleanup(func() {
		for _, s := range c.servers {
			s.Shutdown()
			s.WaitForShutdown()
		}
	})
	c.await()
	return c
}

// serve starts a server, or starts it again on what it has on disk.
func (c *cluster) serve(i int) {
	c.t.Helper()
	n := len(c.servers)
	var conf strings.Builder
	fmt.Fprintf(&conf, "server_name: n%d\nlisten: 127.0.0.1:%s\nauthorization {token: %s}\n", i, c.ports[i], clusterToken)
	fmt.Fprintf(&conf, "jetstream {store_dir: '%s', max_file_store: 1GB, sync_interval: always}\n", c.dirs[i])
	fmt.Fprintf(&conf, "cluster {name: faults, listen: 127.0.0.1:%s, routes: [", c.ports[n+i])
	for k := range n {
		fmt.Fprintf(&conf, "nats://127.0.0.1:%s, ", c.ports[n+k])
	}
	conf.WriteString("]}\n")
	path := filepath.Join(c.dirs[i], "nats.conf")
	must(c.t, os.WriteFile(path, []byte(conf.String()), 0o600))
	opts, err := server.ProcessConfigFile(path)
	must(c.t, err)
	opts.NoSigs, opts.NoLog = true, true
	s, err := server.NewServer(opts)
	must(c.t, err)
	s.Start()
	c.servers[i] = s
}

// await waits until the cluster can store.
func (c *cluster) await() {
	c.t.Helper()
	for i, s := range c.servers {
		eventually(c.t, time.Minute, func() error {
			if h := s.Healthz(nil); h.Error != "" || !s.JetStreamIsCurrent() {
				return fmt.Errorf("server %d of the cluster: %s", i, h.Error)
			}
			return nil
		})
	}
}

// url names all servers, as the client takes them.
func (c *cluster) url() string {
	var list []string
	for i := range c.servers {
		list = append(list, (&url.URL{Scheme: "nats", User: url.User(clusterToken), Host: "127.0.0.1:" + c.ports[i]}).String())
	}
	return strings.Join(list, ",")
}
