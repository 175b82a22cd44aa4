package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/mount"

	"kurama/internal/config"
	"kurama/internal/turns"
	"kurama/paas"
)

const (
	aptPrefix = bootstrapName + ":apt-"
	aptLabel  = "kurama.apt" // the packages, with a space between
	// aptUnused is how long an image with packages that no release asks for is kept.
	aptUnused = time.Hour
)

// aptRecipe installs packages into an image. Each is looked up by its whole name
// first, since apt-get takes a name that it does not know for a pattern. Nothing
// of the image may be removed for them. It is part of the image's name.
const aptRecipe = `set -e
exec 2>&1
export DEBIAN_FRONTEND=noninteractive
. /run/host.env
apt-get -q -q update
for name in $KURAMA_PACKAGES; do
  apt-cache pkgnames "$name" | grep -qxF -- "$name" || { echo "KURAMA missing $name"; exit 1; }
done
size=$(apt-get -q -q -s --no-remove --no-install-recommends install $KURAMA_PACKAGES | sed -n 's/^Inst \([^ ]*\).*/\1/p' |
  xargs -r apt-cache show --no-all-versions | sed -n 's/^Installed-Size: //p' | { sum=0; while read kib; do sum=$((sum+kib)); done; echo $sum; })
[ "$size" -le "$KURAMA_MOST" ] || { echo "KURAMA size $size"; exit 1; }
apt-get -q -q -y --no-remove --no-install-recommends install $KURAMA_PACKAGES
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt/*
`

// Image returns the image that the app in dir runs on: the base image, with the
// Debian packages of its apt.txt, which are installed where nobody has asked for
// the same before. It returns *paas.Invalid for packages that cannot be.
func (b *Builder) Image(ctx context.Context, tenant, dir string, line func(string)) (paas.Image, error) {
	base, err := b.imageFor(ctx, tenant, dir, line)
	return paas.Image{Name: base.image, Took: base.took}, err
}

func (b *Builder) imageFor(ctx context.Context, tenant, dir string, line func(string)) (baseImage, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return baseImage{}, fmt.Errorf("source: %w", err)
	}
	defer root.Close()
	names, err := readApt(root)
	if err != nil {
		return baseImage{}, err
	}
	base, err := b.ready(ctx, line)
	if err != nil || len(names) == 0 {
		return base, err
	}
	return b.withPackages(ctx, tenant, base.bootstrap, names, line)
}

func aptTag(bootstrap string, names []string) string {
	return aptPrefix + shortHash(append([]string{bootstrap, aptRecipe}, names...)...)
}

// withPackages returns the base image with packages, made where it is not there.
func (b *Builder) withPackages(ctx context.Context, tenant, bootstrap string, names []string, line func(string)) (baseImage, error) {
	sdk, err := packSDK(b.opts.SDK)
	if err != nil {
		return baseImage{}, fmt.Errorf("SDK of the base image: %w", err)
	}
	tag := aptTag(bootstrap, names)
	known := func() (id string, base baseImage, ok bool) {
		id, there, err := b.imageID(ctx, tag)
		if err != nil || !there {
			return "", base, false
		}
		base, ok = b.inspectBase(ctx, baseTag(id, sdk))
		return id, base, ok
	}
	if _, base, ok := known(); ok {
		return base, nil
	}
	free, err := b.lockLayer(ctx, tag, line)
	if err != nil {
		return baseImage{}, err
	}
	defer free()
	id, base, ok := known()
	if ok {
		return base, nil
	}
	began := time.Now()
	if id == "" {
		if id, err = b.installPackages(ctx, tenant, bootstrap, tag, names, line); err != nil {
			return baseImage{}, err
		}
	}
	if err := b.makeBase(ctx, id, sdk); err != nil {
		return baseImage{}, fmt.Errorf("base image with Debian packages: %w", err)
	}
	if _, base, ok = known(); !ok {
		return baseImage{}, errors.New("base image with Debian packages: it vanished right after it was made")
	}
	base.took = time.Since(began)
	return base, nil
}

// installPackages makes the image below the SDK once the queue lets the tenant's
// build work. What runs as root in its container is Debian's own; nothing of the
// app is there.
func (b *Builder) installPackages(ctx context.Context, tenant, bootstrap, tag string, names []string, line func(string)) (id string, err error) {
	leave, err := b.queue.Enter(ctx, tenant, func(place int) { line(waitingAt(place)) })
	if full, ok := errors.AsType[*turns.Full](err); ok {
		return "", invalid("Too many builds wait: %v. Deploy again in some minutes.", full)
	}
	if err != nil {
		return "", err
	}
	defer leave()
	line(fmt.Sprintf("Installing %s of `%s`: %s.", plural(len(names), "Debian package"), aptFile, strings.Join(names, ", ")))
	host := readHost(os.Environ())
	host.apt(ctx)
	folder, err := os.MkdirTemp(b.layersFolder(), "apt-*"+unfinished)
	if err != nil {
		return "", fmt.Errorf("settings of apt: %w", err)
	}
	defer os.RemoveAll(folder)
	s, err := b.packageStep(ctx, folder, bootstrap, names, host)
	if err != nil {
		return "", err
	}
	s.keep = func(ctx context.Context, id string) error {
		_, err := b.opts.Docker.ContainerCommit(ctx, id, container.CommitOptions{Reference: tag, Comment: "Debian packages for Kurama", Changes: plainStart,
			Config: &container.Config{Labels: map[string]string{aptLabel: strings.Join(names, " ")}}})
		return err
	}
	slow := invalid("Installing the packages of `%s` took longer than %s and was stopped. Ask for fewer, or raise build.timeout.", aptFile, b.cfg.Timeout)
	ctx, stop := context.WithTimeoutCause(ctx, b.cfg.Timeout, slow)
	defer stop()
	var output []string
	end, err := b.run(ctx, s, func(l string) { output = append(output, l); line(l) })
	switch {
	case err != nil:
		return "", err
	case end.code != 0:
		return "", aptFailure(output, config.Bytes(b.cfg.LayerMax))
	}
	id, _, err = b.imageID(ctx, tag)
	return id, err
}

// packageStep is the container in which packages are installed.
func (b *Builder) packageStep(ctx context.Context, folder, bootstrap string, names []string, host hostSettings) (step, error) {
	network, err := b.network(ctx, host)
	if err != nil {
		return step{}, fmt.Errorf("network of builds: %w", err)
	}
	settings, err := hostEnvironment(folder, host)
	if err != nil {
		return step{}, err
	}
	options := filepath.Join(folder, "apt.conf")
	if err := os.WriteFile(options, []byte(strings.Join(aptOptions(ctx), ";\n")+";\n"), 0o600); err != nil {
		return step{}, fmt.Errorf("settings of apt: %w", err)
	}
	pids := int64(512)
	mounts := append([]mount.Mount{{Type: mount.TypeBind, Source: settings, Target: "/run/host.env", ReadOnly: true},
		{Type: mount.TypeBind, Source: options, Target: "/etc/apt/apt.conf.d/99kurama", ReadOnly: true}}, host.mounts...)
	return step{
		config: &container.Config{Image: bootstrap, User: "0:0", Entrypoint: noEntrypoint, Cmd: []string{"/bin/sh", "-c",
			"KURAMA_PACKAGES='" + strings.Join(names, " ") + "'\nKURAMA_MOST=" + strconv.FormatInt(int64(b.cfg.LayerMax)>>10, 10) + "\n" + aptRecipe}},
		host: &container.HostConfig{NetworkMode: network, Mounts: mounts, OomScoreAdj: 700, LogConfig: container.LogConfig{Type: "none"},
			Resources: container.Resources{Memory: int64(b.cfg.Memory), MemorySwap: int64(b.cfg.Memory), NanoCPUs: int64(b.cfg.CPU * 1e9), PidsLimit: &pids,
				CPUShares: buildShares}},
	}, nil
}

// apt adds where this host's apt fetches from, and what it signs in with.
func (h *hostSettings) apt(ctx context.Context) {
	for _, text := range append(aptOptions(ctx), debianSources(ctx)) {
		h.urls = append(h.urls, anURL.FindAllString(text, -1)...)
		h.paths(strings.ReplaceAll(text, `"`, " "))
	}
	for _, file := range []string{"/etc/apt/auth.conf", "/etc/apt/auth.conf.d"} {
		h.mount(file, file)
	}
}

// dropUnusedPackages removes this installation's images with packages that no
// release asks for whose source is kept.
func (b *Builder) dropUnusedPackages(ctx context.Context) error {
	own := filters.NewArgs(filters.Arg("label", aptLabel), filters.Arg("label", "kurama.instance="+b.opts.Instance), filters.Arg("reference", bootstrapName))
	images, err := b.opts.Docker.ImageList(ctx, image.ListOptions{Filters: own})
	if err != nil || len(images) == 0 {
		return err
	}
	used := b.wantedPackages()
	var errs []error
	for _, i := range images {
		if used[i.Labels[aptLabel]] || time.Since(time.Unix(i.Created, 0)) < aptUnused {
			continue
		}
		// The engine keeps what a container or another image is made of.
		for _, tag := range i.RepoTags {
			if _, err := b.opts.Docker.ImageRemove(ctx, tag, image.RemoveOptions{}); err != nil && !cerrdefs.IsNotFound(err) && !cerrdefs.IsConflict(err) {
				errs = append(errs, fmt.Errorf("image %s: %w", tag, err))
			}
		}
	}
	return errors.Join(errs...)
}

// wantedPackages returns what the kept releases ask for, as the label has it.
func (b *Builder) wantedPackages() map[string]bool {
	used := map[string]bool{}
	files, _ := filepath.Glob(filepath.Join(b.releases(), "*", "*", "*", aptFile))
	for _, file := range files {
		root, err := os.OpenRoot(filepath.Dir(file))
		if err != nil {
			continue
		}
		if names, err := readApt(root); err == nil {
			used[strings.Join(names, " ")] = true
		}
		_ = root.Close()
	}
	return used
}
