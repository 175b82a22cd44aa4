package logship

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/client"

	"kurama/logship/engine"
	"kurama/logship/record"
)

// docker is the real engine, with an installation of its own.
type docker struct {
	*world
	api      *client.Client
	instance string
	image    string
}

// printer builds the program of testdata/printer once.
var printer = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "printer")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", filepath.Join(dir, "printer"), "./testdata/printer")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return out, err
	}
	return os.ReadFile(filepath.Join(dir, "printer"))
})

func newDocker(t *testing.T) *docker {
	t.Helper()
	api, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { api.Close() })
	d := &docker{world: newWorld(t), api: api, instance: "test" + strings.ReplaceAll(record.NewID(time.Now()).String(), "-", "")[16:]}
	d.image = "kurama-test:" + d.instance
	program, err := printer()
	if err != nil {
		t.Fatalf("building the printer: %v %s", err, program)
	}
	var files bytes.Buffer
	pack := tar.NewWriter(&files)
	_ = pack.WriteHeader(&tar.Header{Name: "printer", Mode: 0o755, Size: int64(len(program))})
	_, _ = pack.Write(program)
	_ = pack.Close()
	body, err := api.ImageImport(t.Context(), image.ImportSource{Source: &files, SourceName: "-"}, d.image, image.ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = bytes.NewBuffer(nil).ReadFrom(body)
	body.Close()
	t.Cleanup(d.clean)
	return d
}

// clean removes what bears this test's instance, and its image.
func (d *docker) clean() {
	ctx := context.Background()
	own := filters.NewArgs(filters.Arg("label", engine.LabelInstance+"="+d.instance))
	list, err := d.api.ContainerList(ctx, container.ListOptions{All: true, Filters: own})
	if err != nil {
		d.t.Error(err)
	}
	for _, c := range list {
		d.remove(c.ID)
	}
	if _, err := d.api.ImageRemove(ctx, d.image, image.RemoveOptions{Force: true}); err != nil {
		d.t.Error(err)
	}
}

func (d *docker) remove(id string) {
	if err := d.api.ContainerRemove(context.Background(), id, container.RemoveOptions{Force: true}); err != nil {
		d.t.Error(err)
	}
}

// start starts a replica that does what the arguments say.
func (d *docker) start(replica string, args ...string) string {
	d.t.Helper()
	folder := filepath.Join(d.run, "replicas", replica)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		d.t.Fatal(err)
	}
	app, _, _ := strings.Cut(replica, "-")
	made, err := d.api.ContainerCreate(d.t.Context(), &container.Config{
		Image: d.image, Cmd: append([]string{"/printer"}, args...), User: "20001:20001",
		Labels: map[string]string{engine.LabelInstance: d.instance, engine.LabelKind: "replica", engine.LabelTenant: "t",
			engine.LabelApp: app, engine.LabelRelease: "3", engine.LabelReplica: replica,
			engine.LabelDisk: strconv.Itoa(8 << 20), engine.LabelWritable: "/tmp"},
	}, &container.HostConfig{
		ReadonlyRootfs: true, NetworkMode: "none", Tmpfs: map[string]string{"/tmp": "size=8388608"},
		Mounts:    []mount.Mount{{Type: mount.TypeBind, Source: folder, Target: "/run/kurama", ReadOnly: true}},
		LogConfig: container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "4m", "max-file": "5"}},
		Resources: container.Resources{Memory: 64 << 20, MemorySwap: 64 << 20, NanoCPUs: 500_000_000},
	}, nil, nil, "kurama-"+d.instance+"-"+replica)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.api.ContainerStart(d.t.Context(), made.ID, container.StartOptions{}); err != nil {
		d.t.Fatal(err)
	}
	return made.ID
}

// waitFor waits until the container has ended.
func (d *docker) waitFor(id string) {
	d.t.Helper()
	ended, failed := d.api.ContainerWait(d.t.Context(), id, container.WaitConditionNotRunning)
	select {
	case <-ended:
	case err := <-failed:
		d.t.Fatal(err)
	}
}

func (d *docker) engine(o *Options) {
	e, err := engine.New("", d.instance)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { e.Close() })
	o.Engine = e
}

func of(app string, kind record.Kind) func(*record.Record) bool {
	return func(r *record.Record) bool { return r.App == app && r.Kind == kind }
}

func TestAReplicasOutputBecomesRecords(t *testing.T) {
	d := newDocker(t)
	d.agent(d.engine)
	d.start("hello-3-abcdef", "out:plain", "err:WARNING:root:careful", "err:ERROR:root:it broke", "err:Traceback (most recent call last):",
		"err:  File \"x.py\", line 1", "err:ValueError: bad", "out:"+strings.Repeat("ä", 20_000), "wait")
	got := d.records(4, of("hello", record.KindLog))
	byMsg := map[string]record.Record{}
	for _, r := range got {
		byMsg[r.Msg] = r
		if r.Tenant != "t" || r.Release != 3 || r.Replica != "hello-3-abcdef" {
			t.Errorf("the identity of %q is wrong", r.Msg)
		}
	}
	if r := byMsg["plain"]; r.Level != record.LevelInfo || string(r.Extra) != `{"stream":"stdout"}` {
		t.Errorf("the plain line became %+v", r)
	}
	if r := byMsg["WARNING:root:careful"]; r.Level != record.LevelWarning || string(r.Extra) != `{"stream":"stderr"}` {
		t.Errorf("the warning became %+v", r)
	}
	if r := byMsg["ERROR:root:it broke"]; r.Level != record.LevelError || !strings.HasSuffix(r.Exc, "line 1\nValueError: bad") {
		t.Errorf("the error became %+v", r)
	}
	if _, ok := byMsg[strings.Repeat("ä", 20_000)]; !ok {
		t.Error("the line that the engine splits did not come whole")
	}
}

func TestNoLineIsLostOrRepeatedWhenTheAgentIsRestarted(t *testing.T) {
	d := newDocker(t)
	_, end := d.agent(d.engine)
	id := d.start("hello-3-abcdef", "count:3000")
	d.records(100, of("hello", record.KindLog))
	end()
	away := d.start("away-3-abcdef", "count:500") // lives and dies while no agent is there
	d.waitFor(away)
	d.waitFor(id)
	d.agent(d.engine)
	for app, n := range map[string]int{"hello": 3000, "away": 500} {
		got := d.records(n, of(app, record.KindLog))
		for i, r := range got {
			if r.Msg != "line "+strconv.Itoa(i) {
				t.Fatalf("%s: %q is in place %d of %d", app, r.Msg, i, len(got))
			}
		}
	}
}

func TestTheLastWordsOfAReplicaAreKept(t *testing.T) {
	d := newDocker(t)
	d.agent(d.engine)
	id := d.start("short-3-abcdef", "count:2000", "wait")
	for lines := 0; lines < 2000; {
		out, err := d.api.ContainerLogs(t.Context(), id, container.LogsOptions{ShowStdout: true})
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(out)
		out.Close()
		lines = bytes.Count(text, []byte("\n"))
	}
	d.remove(id)
	if got := d.records(2000, of("short", record.KindLog)); len(got) != 2000 {
		t.Errorf("%d lines came", len(got))
	}
}

func TestAReplicaSpeaksForItselfAlone(t *testing.T) {
	d := newDocker(t)
	d.ship.SampleInterval = 100 * time.Millisecond
	d.agent(d.engine)
	d.start("spy-3-abcdef", `send:{"kind":"event","tenant":"other","app":"other","release":9,"replica":"x","cpu":99,"msg":"ha","extra":{"event":"deployed"}}`,
		`send:{"kind":"request","status":200,"msg":"forged"}`, "send:not json", "wait")
	got := d.records(1, of("spy", record.KindEvent))
	if r := got[0]; r.Tenant != "t" || r.Release != 3 || r.Replica != "spy-3-abcdef" || r.CPU.Value == 99 || string(r.Extra) != `{"event":"app.deployed"}` {
		t.Errorf("the event became %+v %s", r, r.Extra)
	}
	got = d.records(2, of("spy", record.KindLog))
	if got[0].Msg != "forged" || got[1].Msg != "not json" {
		t.Errorf("the logs became %+v", got)
	}
}

func TestWhatAProcessSentAndSpilledIsOnTheStreamOnce(t *testing.T) {
	d := newDocker(t)
	d.agent(d.engine)
	line := func(msg string) string {
		return `{"id":"` + record.NewID(time.Now()).String() + `","kind":"log","app":"other","level":"ERROR","msg":"` + msg + `","req":"r1"}`
	}
	first, second := line("first"), line("second")
	d.start("spill-3-abcdef", "send:"+first, "out:\x1e"+first, "out:\x1e"+second, "out:\x1eno record", "wait")
	got := d.records(3, of("spill", record.KindLog))
	for i, msg := range []string{"first", "second", "\x1eno record"} {
		if r := got[i]; r.Msg != msg || r.Replica != "spill-3-abcdef" || i < 2 && (r.Level != record.LevelError || r.Req != "r1") {
			t.Errorf("record %d became %+v", i, r)
		}
	}
}

func TestAReplicaIsSampled(t *testing.T) {
	d := newDocker(t)
	d.ship.SampleInterval = 100 * time.Millisecond
	d.agent(d.engine)
	d.start("idle-3-abcdef", "wait")
	last := d.records(5, of("idle", record.KindSample))[4]
	for name, n := range map[string]record.Number{"cpu": last.CPU, "disk": last.Disk, "mem": last.Mem} {
		if !n.Known || n.Value < 0 || n.Value > 100 {
			t.Errorf("%s is %+v", name, n)
		}
	}
	if last.Mem.Value == 0 || last.Level != record.LevelNone || !strings.Contains(string(last.Extra), `"mem_limit":67108864,"cpu_limit":0.5,`) ||
		!strings.Contains(string(last.Extra), `"disk_limit":8388608`) {
		t.Errorf("the sample is %+v %s", last, last.Extra)
	}
	c := d.sender()
	c.Send(&record.Record{Kind: record.KindRequest, Tenant: "t", App: "idle", Replica: "idle-3-abcdef", Msg: "GET / 200 1 ms"})
	if r := d.records(1, of("idle", record.KindRequest))[0]; !r.Mem.Known || r.Mem.Value == 0 {
		t.Errorf("the request has no figures: %+v", r)
	}
}
