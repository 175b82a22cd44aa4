package build

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
)

const (
	baseName      = "kurama-base"
	bootstrapName = "kurama-bootstrap"
	packagesLabel = "kurama.packages" // JSON object of what Python packages the image has
	bootLabel     = "kurama.bootstrap"
	sdkFolder     = "/opt/kurama-sdk"
)

// finish puts the SDK where Python finds it and prints the installed packages
// as JSON. gunicorn before 21 imports pkg_resources for a rare kind of class
// names, which takes a quarter of the CPU time from a replica's start to its
// first answer (50 of 190 ms): it is made to do so when it meets one. The text
// is part of the image's name: a change makes a new image.
const finish = `set -e
site=$(python3 -c 'import site; print(site.getsitepackages()[0])')
mkdir -p "$site" /app /opt/deps /run/kurama
if [ -d ` + sdkFolder + ` ]; then
  cp -R ` + sdkFolder + `/. "$site"/
  rm -rf ` + sdkFolder + `
  if [ -d "$site/kurama" ]; then python3 -m compileall -q "$site/kurama"; fi
fi
python3 - <<'END'
import importlib.util, pathlib, py_compile, re
for folder in importlib.util.find_spec("gunicorn").submodule_search_locations:
    file = pathlib.Path(folder, "util.py")
    text = file.read_text()
    lazy = re.sub(r"^import pkg_resources\n", "", text, flags=re.M)
    if lazy != text:
        file.write_text(re.sub(r"\breturn pkg_resources\.", "import pkg_resources; return pkg_resources.", lazy))
        py_compile.compile(str(file), doraise=True)
END
python3 -c 'import flask, gunicorn.util'
python3 - <<'END'
import json
from importlib import metadata
print(json.dumps({d.metadata["Name"]: d.version for d in metadata.distributions()}))
END
`

// baseImage is a base image that is ready.
type baseImage struct {
	image     string            // its name
	bootstrap string            // id of the image below the SDK, which layers depend on
	packages  map[string]string // normalised name → version
	took      time.Duration     // of the installation of Debian packages; 0: they were there
}

// Base makes sure that the base image is there and returns its name; progress
// gets what is done for that, which the first time takes half a minute. Later
// calls ask the engine once.
func (b *Builder) Base(ctx context.Context, progress func(string)) (string, error) {
	base, err := b.ready(ctx, progress)
	return base.image, err
}

func (b *Builder) ready(ctx context.Context, progress func(string)) (baseImage, error) {
	free, err := b.base.take(ctx, func() { progress("Waiting for the base image, which is being prepared.") })
	if err != nil {
		return baseImage{}, err
	}
	defer free()
	sdk, err := packSDK(b.opts.SDK)
	if err != nil {
		return baseImage{}, fmt.Errorf("SDK of the base image: %w", err)
	}
	if base, ok := b.present(ctx, sdk); ok {
		return base, nil
	}
	unlock, err := lockHost(ctx, progress)
	if err != nil {
		return baseImage{}, err
	}
	defer unlock()
	boot, err := b.bootstrap(ctx, progress)
	if err != nil {
		return baseImage{}, err
	}
	if base, ok := b.inspectBase(ctx, baseTag(boot, sdk)); ok {
		return base, nil // another installation made it meanwhile
	}
	progress("Putting Flask, gunicorn and the SDK into the base image.")
	if err := b.makeBase(ctx, boot, sdk); err != nil {
		return baseImage{}, fmt.Errorf("base image: %w", err)
	}
	base, ok := b.inspectBase(ctx, baseTag(boot, sdk))
	if !ok {
		return baseImage{}, errors.New("base image: it vanished right after it was made")
	}
	return base, nil
}

// present finds the finished image without a look at any registry.
func (b *Builder) present(ctx context.Context, sdk []byte) (baseImage, bool) {
	boot, ok := b.knownBootstrap(ctx)
	if !ok {
		return baseImage{}, false
	}
	return b.inspectBase(ctx, baseTag(boot, sdk))
}

func baseTag(bootstrap string, sdk []byte) string {
	return baseName + ":" + shortHash(append([]string{bootstrap, finish, string(sdk)}, plainStart...)...)
}

func shortHash(parts ...string) string {
	sum := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(sum, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
}

func (b *Builder) inspectBase(ctx context.Context, tag string) (baseImage, bool) {
	found, err := b.opts.Docker.ImageInspect(ctx, tag)
	if err != nil || found.Config == nil {
		return baseImage{}, false
	}
	base := baseImage{image: tag, bootstrap: found.Config.Labels[bootLabel], packages: map[string]string{}}
	var listed map[string]string
	if json.Unmarshal([]byte(found.Config.Labels[packagesLabel]), &listed) == nil {
		for name, version := range listed {
			base.packages[normal(name)] = version
		}
	}
	return base, true
}

// plainStart keeps a build's own command from becoming the image's.
var plainStart = []string{`CMD ["python3"]`}

// makeBase commits the image on top of the bootstrap image.
func (b *Builder) makeBase(ctx context.Context, boot string, sdk []byte) error {
	var output []string
	s := step{
		config: &container.Config{Image: boot, User: "0:0", Entrypoint: noEntrypoint, Cmd: []string{"/bin/sh", "-c", finish}},
		host:   &container.HostConfig{NetworkMode: "none"},
		prepare: func(ctx context.Context, id string) error {
			return b.opts.Docker.CopyToContainer(ctx, id, "/", bytes.NewReader(sdk), container.CopyToContainerOptions{})
		},
		keep: func(ctx context.Context, id string) error {
			labels := map[string]string{packagesLabel: strings.TrimSpace(output[len(output)-1]), bootLabel: boot}
			_, err := b.opts.Docker.ContainerCommit(ctx, id, container.CommitOptions{
				Reference: baseTag(boot, sdk), Comment: "Kurama base image", Changes: plainStart, Config: &container.Config{Labels: labels}})
			return err
		},
	}
	end, err := b.run(ctx, s, func(l string) { output = append(output, l) })
	if err != nil {
		return err
	}
	if end.code != 0 || len(output) == 0 {
		return fmt.Errorf("exit %d: %s", end.code, strings.Join(output, "\n"))
	}
	return nil
}

// packSDK writes the SDK's files as a tar in a fixed order and without times,
// so that equal files are equal bytes. Compiled files are left out.
func packSDK(sdk fs.FS) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if sdk == nil {
		return out.Bytes(), w.Close()
	}
	for _, top := range []string{"kurama", "kurama.pth"} {
		err := fs.WalkDir(sdk, top, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(name, ".pyc") {
				return err
			}
			data, err := fs.ReadFile(sdk, name)
			if err != nil {
				return err
			}
			target := strings.TrimPrefix(filepath.ToSlash(filepath.Join(sdkFolder, name)), "/")
			if err := w.WriteHeader(&tar.Header{Name: target, Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg}); err != nil {
				return err
			}
			_, err = w.Write(data)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out.Bytes(), w.Close()
}

// lockHost keeps two installations on one host from making the same image at
// the same time. Without a place for the lock they both make it, which costs
// time and does no harm.
func lockHost(ctx context.Context, progress func(string)) (unlock func(), err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return func() {}, nil
	}
	folder := filepath.Join(cache, "kurama")
	if os.MkdirAll(folder, 0o700) != nil {
		return func() {}, nil
	}
	f, err := os.OpenFile(filepath.Join(folder, "base.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return func() {}, nil
	}
	said := false
	for syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		if !said {
			progress("Waiting for another installation on this host, which is preparing the base image.")
			said = true
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return func() { f.Close() }, nil
}

// drain reads an answer of the engine to its end and returns the error that it
// may carry.
func drain(answer io.ReadCloser) error {
	defer answer.Close()
	decoder := json.NewDecoder(answer)
	for {
		var message struct {
			Error string `json:"error"`
		}
		err := decoder.Decode(&message)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case message.Error != "":
			return errors.New(message.Error)
		}
	}
}

func (b *Builder) imageID(ctx context.Context, tag string) (string, bool, error) {
	found, err := b.opts.Docker.ImageInspect(ctx, tag)
	if cerrdefs.IsNotFound(err) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("image %s: %w", tag, err)
	}
	return found.ID, true, nil
}
