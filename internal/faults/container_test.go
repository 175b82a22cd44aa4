package faults

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"

	"kurama/logship/engine"
	"kurama/logship/record"
)

// docker is the real engine, which runs the talker in containers that bear the
// labels of this installation.
type docker struct {
	in    *installation
	api   *client.Client
	image string
}

// engine makes an image that holds nothing but the talker.
func (in *installation) engine() *docker {
	in.t.Helper()
	in.docker.Do(func() {
		api, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
		must(in.t, err)
		d := &docker{in: in, api: api, image: "kurama-faults:" + in.id}
		program, err := os.ReadFile(talker)
		must(in.t, err)
		var files bytes.Buffer
		pack := tar.NewWriter(&files)
		must(in.t, pack.WriteHeader(&tar.Header{Name: "talker", Mode: 0o755, Size: int64(len(program))}))
		_, err = pack.Write(program)
		must(in.t, err)
		must(in.t, pack.Close())
		body, err := api.ImageImport(in.t.Context(), image.ImportSource{Source: &files, SourceName: "-"}, d.image, image.ImportOptions{})
		must(in.t, err)
		_, err = io.Copy(io.Discard, body)
		must(in.t, err)
		must(in.t, body.Close())
		in.top.Cleanup(d.clean)
		in.dock = d
	})
	return in.dock
}

// clean removes what bears this installation's name, and its image.
func (d *docker) clean() {
	ctx := context.Background()
	list, err := d.api.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", engine.LabelInstance+"="+d.in.id))})
	if err != nil {
		d.in.t.Error(err)
	}
	for _, c := range list {
		if err := d.api.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true}); err != nil {
			d.in.t.Error(err)
		}
	}
	if _, err := d.api.ImageRemove(ctx, d.image, image.RemoveOptions{Force: true}); err != nil {
		d.in.t.Error(err)
	}
	_ = d.api.Close()
}

// talking is a container that runs the talker.
type talking struct {
	in      *installation
	id      string
	app     string
	replica string
}

// container starts the talker as a replica; the app is what its name begins
// with. See testdata/talker for its arguments.
func (in *installation) container(replica string, args ...string) *talking {
	in.t.Helper()
	d := in.engine()
	folder := filepath.Join(in.folders.Run, "replicas", replica)
	must(in.t, os.MkdirAll(folder, 0o755))
	app, _, _ := strings.Cut(replica, "-")
	made, err := d.api.ContainerCreate(in.t.Context(), &container.Config{
		Image: d.image, Cmd: append([]string{"/talker"}, args...), User: "20001:20001",
		Labels: map[string]string{engine.LabelInstance: in.id, engine.LabelKind: "replica", engine.LabelTenant: tenant,
			engine.LabelApp: app, engine.LabelRelease: "1", engine.LabelReplica: replica},
	}, &container.HostConfig{
		ReadonlyRootfs: true, NetworkMode: "none",
		Mounts:    []mount.Mount{{Type: mount.TypeBind, Source: folder, Target: "/run/kurama", ReadOnly: true}},
		LogConfig: container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "4m", "max-file": "5"}},
		Resources: container.Resources{Memory: 64 << 20, MemorySwap: 64 << 20, NanoCPUs: 500_000_000},
	}, nil, nil, "kurama-"+in.id+"-"+replica)
	must(in.t, err)
	must(in.t, d.api.ContainerStart(in.t.Context(), made.ID, container.StartOptions{}))
	return &talking{in: in, id: made.ID, app: app, replica: replica}
}

// replicaLogs sends log records over the socket of a replica that runs; who
// sends what is the agent's to say.
func (in *installation) replicaLogs(app, replica, series string, perSecond int) *sender {
	return in.send(app, series, filepath.Join(in.folders.Run, "replicas", replica, "log.sock"), perSecond, func(n int) *record.Record {
		return logRecord("forged", "forged-9-zzzzzz", numbered(series, n))
	})
}

// finish tells the talker to end and returns the series that it says it sent.
// A container that was killed says nothing: its output alone tells.
func (c *talking) finish() []series {
	c.in.t.Helper()
	timeout := 60
	must(c.in.t, c.in.dock.api.ContainerStop(c.in.t.Context(), c.id, container.StopOptions{Timeout: &timeout}))
	var all []series
	for line := range strings.Lines(c.output()) {
		name, count, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "sent "), "=")
		if n, err := strconv.Atoi(count); ok && err == nil && strings.HasPrefix(line, "sent ") {
			all = append(all, series{app: c.app, name: name, n: n})
		}
	}
	return all
}

// output returns all that the container wrote, as the engine kept it.
func (c *talking) output() string {
	c.in.t.Helper()
	body, err := c.in.dock.api.ContainerLogs(c.in.t.Context(), c.id, container.LogsOptions{ShowStdout: true, ShowStderr: true})
	must(c.in.t, err)
	defer func() { _ = body.Close() }()
	var text bytes.Buffer
	_, err = stdcopy.StdCopy(&text, &text, bufio.NewReader(body))
	must(c.in.t, err)
	return text.String()
}

// kill ends the container as an engine does that has no time left.
func (c *talking) kill() {
	c.in.t.Helper()
	must(c.in.t, c.in.dock.api.ContainerKill(c.in.t.Context(), c.id, "KILL"))
}
