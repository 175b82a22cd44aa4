package runtime

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/network"

	"kurama/internal/config"
	"kurama/paas"
	"kurama/paas/build"
)

// setup returns an engine of its own, and a spec with the given source.
func setup(t *testing.T, files map[string]string) (*Engine, paas.Spec) {
	t.Helper()
	return setupWith(t, "open", files)
}

func setupWith(t *testing.T, egress string, files map[string]string) (*Engine, paas.Spec) {
	t.Helper()
	cfg := config.Default()
	cfg.Docker.NetworkPool, cfg.Docker.Egress = "10.215.0.0/16", egress
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	data := t.TempDir()
	e, err := New(cfg.Docker, Options{Instance: strings.ToLower(rand.Text()[:8]), RunDir: filepath.Join(data, "run"), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := e.Teardown(ctx); err != nil {
			t.Errorf("teardown: %v", err)
		}
		e.Close()
	})
	b, err := build.New(cfg.Build, build.Options{Data: data, Instance: e.opts.Instance, Docker: e.docker, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	image, err := b.Base(t.Context(), func(l string) { t.Log(l) })
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(data, "source")
	if err := os.MkdirAll(filepath.Join(source, "instance"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(source, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return e, paas.Spec{Replica: "web-1-abcdef", Tenant: "default", App: "web", Release: 1, Restart: 3, UID: 7, Image: image, Source: source,
		Start: paas.Start{Command: []string{"python3", "server.py"}, Health: "/"}, Env: map[string]string{"COLOUR": "fox", "PORT": "1"},
		Limits: paas.Limits{CPU: 0.5, Memory: 96 << 20, Disk: 8 << 20, Pids: 32, Nofile: 256}}
}

// report is an app that tells what its container allows it.
const report = `
import http.server, json, os, resource, socket, subprocess
def attempt(f):
    try:
        f()
        return "allowed"
    except Exception as e:
        return type(e).__name__ + ": " + str(e)
def fill():
    with open("/tmp/x", "wb") as f: f.write(b"x" * (9 << 20))
def connect(host, port):
    socket.create_connection((host, port), timeout=1).close()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status = dict(l.split(":\t") for l in open("/proc/self/status").read().split("\n") if ":\t" in l)
        host, port = os.environ["TARGET"].split(":")
        v = lambda p: open(p).read().strip() if os.path.exists(p) else None
        facts = {
            "uid": os.getuid(), "caps": status["CapEff"], "bounding": status["CapBnd"], "nnp": status["NoNewPrivs"], "seccomp": status["Seccomp"],
            "root": attempt(lambda: open("/x", "w")), "app": attempt(lambda: open("/app/x", "w")),
            "instance": attempt(lambda: open("/app/instance/x", "w")), "overfill": attempt(fill),
            "tmp": os.statvfs("/tmp").f_blocks * os.statvfs("/tmp").f_frsize,
            "memory": v("/sys/fs/cgroup/memory/memory.limit_in_bytes") or v("/sys/fs/cgroup/memory.max"),
            "pids": v("/sys/fs/cgroup/pids/pids.max") or v("/sys/fs/cgroup/pids.max"),
            "nofile": resource.getrlimit(resource.RLIMIT_NOFILE), "core": resource.getrlimit(resource.RLIMIT_CORE),
            "port": os.environ["PORT"], "colour": os.environ["COLOUR"], "replica": os.environ["KURAMA_REPLICA"],
            "socket": os.path.isdir("/run/kurama"), "pid1": open("/proc/1/comm").read().strip(),
            "host": attempt(lambda: connect(host, int(port))), "metadata": attempt(lambda: connect("169.254.169.254", 80)),
            "unshare": subprocess.run(["unshare", "-r", "true"], capture_output=True).returncode,
        }
        body = json.dumps(facts).encode()
        self.send_response(200); self.end_headers(); self.wfile.write(body)
http.server.HTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
`

func get(t *testing.T, address string) (body map[string]any) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get("http://" + address)
		if err == nil {
			defer resp.Body.Close()
			if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
				t.Fatal(err)
			}
			return body
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

func TestReplica(t *testing.T) {
	e, spec := setup(t, map[string]string{"server.py": report})
	// A service of the host on the bridge's own address, as a database may be.
	service, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	name, err := e.network(t.Context(), spec.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	made, err := e.docker.NetworkInspect(t.Context(), name, network.InspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(service.Addr().String())
	spec.Env["TARGET"] = net.JoinHostPort(made.IPAM.Config[0].Gateway, port)

	var heard = make(chan string, 16)
	go func() { _ = e.Watch(t.Context(), func(replica, what string) { heard <- replica + " " + what }) }()
	<-heard // connected
	c, err := e.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if c.ID != spec.Replica || !c.Running || c.State != paas.ReplicaStarting || c.UID != 7 || c.Restart != 3 || c.PID == 0 {
		t.Errorf("container: %+v", c)
	}

	t.Run("is hardened, seen from inside", func(t *testing.T) {
		facts := get(t, c.Address)
		want := map[string]any{"uid": 20007.0, "caps": "0000000000000000", "bounding": "0000000000000000", "nnp": "1", "seccomp": "2",
			"instance": "allowed", "overfill": "OSError: [Errno 28] No space left on device", "tmp": float64(8 << 20),
			"memory": "100663296", "pids": "32", "port": "8000", "colour": "fox", "replica": spec.Replica, "socket": true, "pid1": "docker-init"}
		for key, value := range want {
			if facts[key] != value {
				t.Errorf("%s is %v, not %v", key, facts[key], value)
			}
		}
		for _, key := range []string{"root", "app"} {
			if !strings.Contains(facts[key].(string), "Read-only file system") {
				t.Errorf("%s: %v", key, facts[key])
			}
		}
		for _, key := range []string{"host", "metadata"} {
			if facts[key] == "allowed" {
				t.Errorf("%s is reached", key)
			}
		}
		if facts["unshare"] == 0.0 {
			t.Error("a user namespace can be made")
		}
		for key, value := range map[string]float64{"nofile": 256, "core": 0} {
			if limit := facts[key].([]any); limit[0] != value || limit[1] != value {
				t.Errorf("%s is %v", key, limit)
			}
		}
	})
	t.Run("is found by its labels", func(t *testing.T) {
		raw, err := e.docker.ContainerInspect(t.Context(), c.Container)
		if err != nil {
			t.Fatal(err)
		}
		if l := raw.Config.Labels; l[LabelWritable] != "/app/instance:/tmp" || l[LabelDisk] != "10485760" || l[LabelKind] != KindReplica || l[LabelTenant] != "default" {
			t.Errorf("labels: %v", l)
		}
		all, err := e.List(t.Context())
		if err != nil || len(all) != 1 || all[0].ID != spec.Replica {
			t.Errorf("list: %+v, %v", all, err)
		}
	})
	t.Run("tells on which sockets it listens", func(t *testing.T) {
		sockets, err := e.ListeningSockets(t.Context(), spec.Replica)
		if err != nil || len(sockets) != 1 || sockets[0] != (paas.Socket{IP: "0.0.0.0", Port: 8000}) {
			t.Errorf("got %v, %v", sockets, err)
		}
	})
	t.Run("is heard to end, and starts again", func(t *testing.T) {
		if err := e.Stop(t.Context(), spec.Replica, time.Second); err != nil {
			t.Fatal(err)
		}
		for what := range heard {
			if what == spec.Replica+" die" {
				break
			}
		}
		ended, err := e.Inspect(t.Context(), spec.Replica)
		if err != nil || ended.Running || ended.State != paas.ReplicaStopped || ended.FinishedAt.IsZero() {
			t.Errorf("got %+v, %v", ended, err)
		}
		// As after a reboot: the folder of sockets and the rules are gone.
		if err := os.RemoveAll(filepath.Join(e.opts.RunDir, "replicas")); err != nil {
			t.Fatal(err)
		}
		if c, err = e.Restart(t.Context(), spec.Replica, spec.Tenant); err != nil {
			t.Fatal(err)
		}
		get(t, c.Address)
	})
	t.Run("leaves nothing when it is removed", func(t *testing.T) {
		if err := errors.Join(e.Remove(t.Context(), spec.Replica), e.Remove(t.Context(), spec.Replica), e.Stop(t.Context(), spec.Replica, 0)); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Inspect(t.Context(), spec.Replica); !errors.Is(err, paas.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		if _, err := os.Stat(filepath.Join(e.opts.RunDir, "replicas", spec.Replica)); !os.IsNotExist(err) {
			t.Errorf("folder: %v", err)
		}
	})
	t.Run("leaves nothing when it cannot start", func(t *testing.T) {
		broken := spec
		broken.Source = "/does/not/exist"
		if _, err := e.Start(t.Context(), broken); err == nil {
			t.Fatal("started")
		}
		if all, err := e.List(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("left: %v, %v", all, err)
		}
	})
	t.Run("takes rules and networks away at the teardown", func(t *testing.T) {
		if err := e.Teardown(t.Context()); err != nil {
			t.Fatal(err)
		}
		rules, err := exec.CommandContext(t.Context(), "iptables", "-S").CombinedOutput()
		if err != nil || strings.Contains(string(rules), e.opts.Instance) || strings.Contains(string(rules), bridgePrefix(e.opts.Instance)) {
			t.Errorf("rules, %v:\n%s", err, rules)
		}
	})
}
