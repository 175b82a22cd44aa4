package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"

	"kurama/internal/config"
	"kurama/internal/turns"
	"kurama/paas"
)

const (
	buildUID = 19999 // just below the apps' own
	// layerRecipe goes into every key: raise it when install changes.
	layerRecipe = "4"
	sizeCheck   = time.Second
	// buildShares is the weight of a build where the CPU is short; each replica
	// has 1024, so that one that is busy loses a ninth to a build.
	buildShares = 128
)

// install makes the layer: a virtual environment on top of the base image's
// packages. It is laid out by hand and pip runs in it, because `python -m venv`
// and `pip --python` each start Python once more. gunicorn and flask get commands
// of their own in it, because those of the base image run a Python that does not
// see the environment.
const install = `set -e
exec 2>&1
home=$(dirname "$(command -v python3)")
version=$(python3 -ISc 'import sys; print("%d.%d" % sys.version_info[:2])')
mkdir -p /opt/deps/bin "/opt/deps/lib/python$version/site-packages"
ln -s lib /opt/deps/lib64
ln -s "$home/python3" /opt/deps/bin/python3
ln -s python3 /opt/deps/bin/python
ln -s python3 "/opt/deps/bin/python$version"
printf 'home = %s\ninclude-system-site-packages = true\nversion = %s\n' "$home" "$version" > /opt/deps/pyvenv.cfg
/opt/deps/bin/python3 -m pip install --no-input --progress-bar off \
  --disable-pip-version-check --no-warn-script-location -r /run/requirements.txt
for name in gunicorn flask; do
  if [ ! -e /opt/deps/bin/$name ]; then
    printf '#!/bin/sh\nexec /opt/deps/bin/python3 -m %s "$@"\n' $name > /opt/deps/bin/$name
    chmod 755 /opt/deps/bin/$name
  fi
done
if [ -d /run/self/site ]; then cp -R /run/self/site/. /opt/deps/lib/python3*/site-packages/; fi
if [ -d /run/self/bin ]; then install -m 755 /run/self/bin/* /opt/deps/bin/; fi
`

// Layer returns the dependency layer that the source in dir needs, and builds
// it where it is not there yet, once the queue lets the tenant's build work;
// line gets what happens, line by line. The key is empty where the base image
// has all. It returns *paas.Invalid, with pip's own words, for dependencies that
// cannot be installed; nothing of the layer stays then.
func (b *Builder) Layer(ctx context.Context, tenant, dir string, line func(string)) (paas.Layer, error) {
	want, err := readRequirements(dir)
	if err != nil {
		return paas.Layer{}, err
	}
	if want.note != "" {
		line(want.note)
	}
	if err := b.fitsPython(ctx, dir, line); err != nil {
		return paas.Layer{}, err
	}
	lines := want.wanted()
	if len(lines) == 0 && !want.installed() {
		line("Nothing to install: Flask and gunicorn are in the base image.")
		return paas.Layer{}, nil
	}
	base, err := b.imageFor(ctx, tenant, dir, line)
	if err != nil {
		return paas.Layer{}, err
	}
	if satisfied(lines, base.packages) && !want.installed() {
		line(fmt.Sprintf("Nothing to install: the base image has all that `%s` asks for.", want.file))
		return paas.Layer{}, nil
	}
	key := layerKey(base.bootstrap, b.layerOwner(tenant), slices.Concat(want.key, want.selfKey))
	free, err := b.lockLayer(ctx, key, line)
	if err != nil {
		return paas.Layer{}, err
	}
	defer free()
	folder := b.LayerFolder(key)
	if now := time.Now(); os.Chtimes(folder, now, now) == nil { // in use: not to be collected
		line(fmt.Sprintf("The dependencies of `%s` are installed already.", want.file))
		return paas.Layer{Key: key}, nil
	}
	leave, err := b.queue.Enter(ctx, tenant, func(place int) { line(waitingAt(place)) })
	if full, ok := errors.AsType[*turns.Full](err); ok {
		return paas.Layer{}, invalid("Too many builds wait: %v. Deploy again in some minutes.", full)
	}
	if err != nil {
		return paas.Layer{}, err
	}
	defer leave()
	began := time.Now()
	line(fmt.Sprintf("Installing %s of `%s`.", plural(len(lines), "line"), want.file))
	err = b.makeLayer(ctx, tenant, base.image, dir, folder, want, line)
	return paas.Layer{Key: key, Took: time.Since(began)}, err
}

// waitingAt says how many builds come before one that waits.
func waitingAt(place int) string {
	if place == 1 {
		return "Waiting for another build to end; this one is next."
	}
	return fmt.Sprintf("Waiting for other builds to end; this one is number %d in the queue.", place)
}

// lockLayer lets two releases with the same dependencies build them once.
func (b *Builder) lockLayer(ctx context.Context, key string, line func(string)) (free func(), err error) {
	b.layers.Lock()
	if b.building[key] == nil {
		b.building[key] = make(lock, 1)
	}
	l := b.building[key]
	b.layers.Unlock()
	return l.take(ctx, func() { line("Another deploy is installing the same dependencies; waiting for it.") })
}

func layerKey(base, owner string, wants []string) string {
	sum := sha256.New()
	for _, part := range append([]string{layerRecipe, base}, wants...) {
		fmt.Fprintf(sum, "%d:%s\n", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil))[:32] + owner
}

// makeLayer installs into a folder beside the final one and renames it when it
// is complete.
func (b *Builder) makeLayer(ctx context.Context, tenant, image, dir, folder string, want requirements, line func(string)) (err error) {
	temp := folder + unfinished
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	user, err := buildFolders(temp, want)
	if err != nil {
		return fmt.Errorf("folder of the layer: %w", err)
	}
	host := readHost(os.Environ())
	network, err := b.network(ctx, host)
	if err != nil {
		return fmt.Errorf("network of builds: %w", err)
	}
	wheels, err := b.wheelsOf(tenant)
	if err != nil {
		return err
	}
	s := b.installation(image, dir, temp, user, host, network)
	s.useWheels(wheels)
	var output []string
	end, err := b.watched(ctx, temp, wheels, s, func(l string) {
		output = append(output, l)
		line(l)
	})
	if wheels != "" {
		err = errors.Join(err, b.keepWheels(wheels))
	}
	switch {
	case err != nil:
		return err
	case end.oom:
		return invalid("Installing the dependencies used more than %s of memory and was stopped. Use packages that come as wheels, or raise build.memory.", b.cfg.Memory)
	case end.code != 0:
		return pipFailure(want, output)
	}
	deps := filepath.Join(temp, "deps")
	if err := os.Chmod(deps, 0o755); err != nil {
		return fmt.Errorf("folder of the layer: %w", err)
	}
	return os.Rename(deps, folder)
}

// builder returns as whom builds write.
func builder() (uid, gid int) {
	if os.Getuid() == 0 {
		return buildUID, buildUID
	}
	return os.Getuid(), os.Getgid()
}

// buildFolders makes the folders of a build and returns who may write there.
func buildFolders(temp string, want requirements) (user string, err error) {
	uid, gid := builder()
	if err := os.RemoveAll(temp); err != nil {
		return "", err
	}
	for _, part := range []string{"deps", "tmp"} {
		folder := filepath.Join(temp, part)
		if err := errors.Join(os.MkdirAll(folder, 0o755), os.Chown(folder, uid, gid)); err != nil {
			return "", err
		}
	}
	file := filepath.Join(temp, "requirements.txt")
	if err := os.WriteFile(file, []byte(want.text), 0o644); err != nil {
		return "", err
	}
	if err := writeFiles(filepath.Join(temp, "self"), want.self); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d:%d", uid, gid), os.Chmod(file, 0o644)
}

// writeFiles writes files by name below a folder, readable for all.
func writeFiles(folder string, files map[string]string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	for name, text := range files {
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		if err := root.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// installation is the container that dependencies are installed in: limited as
// an app is, because a package's setup.py is somebody's code too.
func (b *Builder) installation(image, dir, temp, user string, host hostSettings, network container.NetworkMode) step {
	pids, yes := int64(512), true
	bind := func(source, target string, readOnly bool) mount.Mount {
		return mount.Mount{Type: mount.TypeBind, Source: source, Target: target, ReadOnly: readOnly}
	}
	mounts := append([]mount.Mount{
		bind(dir, "/app", true), bind(filepath.Join(temp, "deps"), "/opt/deps", false), bind(filepath.Join(temp, "tmp"), "/tmp", false),
		bind(filepath.Join(temp, "requirements.txt"), "/run/requirements.txt", true), bind(filepath.Join(temp, "self"), "/run/self", true),
	}, host.mounts...)
	return step{
		config: &container.Config{
			Image: image, User: user, WorkingDir: "/app", Entrypoint: noEntrypoint, Cmd: []string{"/bin/sh", "-c", install},
			Env: append([]string{"HOME=/tmp", "LANG=C.UTF-8", "PYTHONUNBUFFERED=1"}, host.env...),
		},
		host: &container.HostConfig{
			NetworkMode: network, ReadonlyRootfs: true, CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges:true"},
			Mounts: mounts, Init: &yes, OomScoreAdj: 700,
			LogConfig: container.LogConfig{Type: "none"},
			Resources: container.Resources{
				Memory: int64(b.cfg.Memory), MemorySwap: int64(b.cfg.Memory), NanoCPUs: int64(b.cfg.CPU * 1e9), PidsLimit: &pids,
				CPUShares: buildShares,
				Ulimits:   []*container.Ulimit{{Name: "core"}},
			},
		},
	}
}

// watched runs a step under the build's time limit, and stops it when its
// folder grows beyond the size of a layer, or the wheels that it may add to by
// as much: a bind mount has no quota.
func (b *Builder) watched(ctx context.Context, folder, wheels string, s step, line func(string)) (ended, error) {
	slow := invalid("Installing the dependencies took longer than %s and was stopped. Use packages that come as wheels, or raise build.timeout.", b.cfg.Timeout)
	ctx, stop := context.WithTimeoutCause(ctx, b.cfg.Timeout, slow)
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		ticker := time.NewTicker(sizeCheck)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				if folderSize(folder) > int64(b.cfg.LayerMax) || wheels != "" && folderSize(wheels) > int64(b.cfg.LayerMax+b.cfg.CacheMax) {
					cancel(b.tooLarge())
				}
			}
		}
	})
	end, err := b.run(ctx, s, line)
	cancel(nil)
	watching.Wait()
	if err == nil && folderSize(filepath.Join(folder, "deps")) > int64(b.cfg.LayerMax) {
		err = b.tooLarge()
	}
	return end, err
}

func (b *Builder) tooLarge() error {
	return invalid("The dependencies take more than %s, the largest layer that is kept. Leave large packages out, or raise build.layer_max.", config.Bytes(b.cfg.LayerMax))
}

// place names a line of the app's file for an error, where it is known.
func (r requirements) place(name string) string {
	if n := r.line(name); n > 0 {
		return fmt.Sprintf("`%s`, line %s", r.file, strconv.Itoa(n))
	}
	return fmt.Sprintf("`%s`", r.file)
}
