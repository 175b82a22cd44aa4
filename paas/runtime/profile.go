package runtime

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"

	"kurama/paas"
)

const (
	firstUID = 20000 // of the apps' processes; App.UID is added
	shmSize  = 16 << 20
	mib      = 1 << 20
	// imagePath is where the image's own programs are.
	imagePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

// profile is the container that an app's code runs in. Everything in it is
// there to keep untrusted code from its neighbours and from the host.
type profile struct {
	config     *container.Config
	host       *container.HostConfig
	networking *network.NetworkingConfig
}

func (e *Engine) profile(ctx context.Context, spec paas.Spec, kind, networkName string) (profile, error) {
	share, err := e.share(ctx, spec.Tenant)
	if err != nil {
		return profile{}, err
	}
	security, err := e.SecurityOptions(ctx)
	if err != nil {
		return profile{}, err
	}
	user := strconv.Itoa(firstUID + spec.UID)
	tmpfs, disk := writable(spec)
	p := profile{
		config: &container.Config{
			Image: spec.Image, User: user + ":" + user, WorkingDir: "/app", Hostname: spec.App,
			Entrypoint: []string{""}, Cmd: command(spec.Start), Env: append(environment(spec), e.inner()...), StopSignal: "SIGTERM",
			Labels: map[string]string{
				LabelInstance: e.opts.Instance, LabelKind: kind, LabelTenant: spec.Tenant, LabelApp: spec.App,
				LabelRelease: strconv.Itoa(spec.Release), LabelReplica: spec.Replica,
				LabelRestart: strconv.Itoa(spec.Restart), LabelDisk: strconv.FormatInt(disk, 10),
				LabelWritable: strings.Join(slices.Sorted(maps.Keys(tmpfs)), ":"),
			},
		},
		host: &container.HostConfig{
			NetworkMode: container.NetworkMode(networkName), ReadonlyRootfs: true, CapDrop: []string{"ALL"},
			SecurityOpt: security, Tmpfs: tmpfs, ShmSize: shmSize, Init: yes(),
			IpcMode: container.IPCModePrivate, OomScoreAdj: 500, Runtime: e.runtimeOf(spec),
			RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyDisabled},
			LogConfig: container.LogConfig{Type: "json-file",
				Config: map[string]string{"max-size": "4m", "max-file": "5"}},
			Resources: limits(spec.Limits, share),
		},
		networking: &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{networkName: {}}},
	}
	p.bind(spec.Source, "/app")
	if spec.Layer != "" {
		p.bind(spec.Layer, "/opt/deps")
	}
	if spec.Postgres {
		folder, err := filepath.EvalSymlinks(e.opts.Postgres)
		if err != nil {
			return profile{}, fmt.Errorf("the socket of the apps' databases, which `kurama up` makes: %w", err)
		}
		p.bind(folder, paas.DatabaseFolder)
	}
	for _, v := range spec.Volumes {
		p.host.Mounts = append(p.host.Mounts, mount.Mount{Type: mount.TypeBind, Source: e.volumeFolder(spec.Tenant, spec.App, v.Path), Target: "/app/" + v.Path})
	}
	return p, nil
}

func limits(l paas.Limits, share string) container.Resources {
	return container.Resources{
		CgroupParent: share,
		Memory:       l.Memory, MemorySwap: l.Memory, // equal: no swap on top
		NanoCPUs: int64(l.CPU * 1e9), PidsLimit: &l.Pids,
		Ulimits: []*container.Ulimit{
			{Name: "nofile", Soft: l.Nofile, Hard: l.Nofile},
			{Name: "core", Soft: 0, Hard: 0},
		},
	}
}

// bind mounts a folder of the host read-only.
func (p profile) bind(source, target string) {
	p.host.Mounts = append(p.host.Mounts, mount.Mount{Type: mount.TypeBind, Source: source, Target: target, ReadOnly: true})
}

// writable returns the tmpfs of a replica and their size together. Flask's
// instance folder gets one of its own where the source does not ship files in
// it; it is empty then, and there to be mounted on.
func writable(spec paas.Spec) (map[string]string, int64) {
	uid := firstUID + spec.UID
	size := spec.Limits.Disk
	tmpfs := map[string]string{"/tmp": fmt.Sprintf("rw,noexec,nosuid,nodev,size=%d,mode=1777", size)}
	kept := slices.ContainsFunc(spec.Volumes, func(v paas.Volume) bool { return strings.HasPrefix(v.Path+"/", instanceName+"/") })
	if emptyInstance(spec.Source) && !kept {
		part := max(size/4, mib)
		tmpfs["/app/"+instanceName] = fmt.Sprintf("rw,noexec,nosuid,nodev,size=%d,mode=0700,uid=%d,gid=%d", part, uid, uid)
		size += part
	}
	return tmpfs, size
}

// instanceName is Flask's folder for what an app writes.
const instanceName = "instance"

func emptyInstance(source string) bool {
	entries, err := os.ReadDir(filepath.Join(source, instanceName))
	return err == nil && len(entries) == 0
}

// environment returns what the process sees: the app's own settings first,
// because for equal names the last one counts.
func environment(spec paas.Spec) []string {
	env := []string{"HOME=/tmp", "LANG=C.UTF-8", "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1", "TZ=UTC"}
	for _, name := range slices.Sorted(maps.Keys(spec.Env)) {
		env = append(env, name+"="+spec.Env[name])
	}
	path := imagePath
	if spec.Layer != "" {
		path = "/opt/deps/bin:" + path
		env = append(env, "VIRTUAL_ENV=/opt/deps")
	}
	return append(env, "PATH="+cmp.Or(spec.Env["PATH"], path), "PORT="+strconv.Itoa(Port),
		"KURAMA_APP="+spec.App, "KURAMA_TENANT="+spec.Tenant, "KURAMA_RELEASE="+strconv.Itoa(spec.Release),
		"KURAMA_REPLICA="+spec.Replica, "KURAMA_SLOW_MS="+strconv.FormatInt(spec.SlowRequest.Milliseconds(), 10))
}

// inner tells an app on which port its tenant's apps answer from inside.
func (e *Engine) inner() []string {
	if e.opts.RouterPort == 0 {
		return nil
	}
	return []string{"KURAMA_INTERNAL_PORT=" + strconv.Itoa(e.opts.RouterPort)}
}

// command returns the argv. A Procfile's line goes through a shell, which
// replaces itself by the program where the line is a plain one, so that the
// program gets the signal to stop.
func command(start paas.Start) []string {
	if !start.Shell {
		return start.Command
	}
	line := strings.Join(start.Command, " ")
	first, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	if !strings.ContainsAny(line, ";&|\n(){}") && !strings.Contains(first, "=") && first != "exec" && first != "cd" {
		line = "exec " + line
	}
	return []string{"/bin/sh", "-c", line}
}

func yes() *bool {
	v := true
	return &v
}
