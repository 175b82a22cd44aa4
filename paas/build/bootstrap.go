package build

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/mount"
)

const (
	officialImage = "python:3-slim"
	debianMirror  = "http://deb.debian.org/debian"
	debianKeys    = "/usr/share/keyrings/debian-archive-keyring.gpg"
	// registryPatience is how long a registry may take to say that it is there.
	registryPatience = 4 * time.Second
)

// debianPackages are what the bootstrapped base is made of. Wheels take the C++
// and OpenMP libraries for granted (greenlet, numpy), eventlet /etc/protocols;
// apt.txt needs apt.
var debianPackages = []string{"python3", "python3-pip", "python3-venv", "python3-flask", "gunicorn", "ca-certificates", "tzdata",
	"libstdc++6", "libgomp1", "netbase", "apt"}

// pulledRecipe completes an image that has Python alone.
const pulledRecipe = `set -e
. /run/host.env
exec 2>&1
python3 -c 'import flask, gunicorn' 2>/dev/null || python3 -m pip install --no-input --no-cache-dir --progress-bar off --disable-pip-version-check --root-user-action ignore flask gunicorn
`

// knownBootstrap returns the id of the image below the SDK if it is there.
func (b *Builder) knownBootstrap(ctx context.Context) (string, bool) {
	for _, tag := range b.bootstrapTags() {
		if id, ok, err := b.imageID(ctx, tag); ok && err == nil {
			return id, true
		}
	}
	return "", false
}

// bootstrapTags returns the names that the image below the SDK may have under
// the setting build.base, the preferred one first.
func (b *Builder) bootstrapTags() []string {
	pulled := func(ref string) string { return bootstrapName + ":" + shortHash("pull", ref, pulledRecipe) }
	debian := bootstrapName + ":" + shortHash(append([]string{"debian", suite()}, debianPackages...)...)
	switch b.cfg.Base {
	case "auto":
		return []string{pulled(b.official), debian}
	case "bootstrap":
		return []string{debian}
	}
	return []string{pulled(b.cfg.Base)}
}

// bootstrap makes the image below the SDK and returns its id.
func (b *Builder) bootstrap(ctx context.Context, progress func(string)) (string, error) {
	if id, ok := b.knownBootstrap(ctx); ok {
		return id, nil
	}
	return b.makeBootstrap(ctx, progress)
}

func (b *Builder) makeBootstrap(ctx context.Context, progress func(string)) (string, error) {
	tags := b.bootstrapTags()
	if b.cfg.Base == "bootstrap" {
		return b.fromDebian(ctx, tags[0], progress)
	}
	if b.cfg.Base != "auto" {
		return b.fromImage(ctx, b.cfg.Base, tags[0], progress)
	}
	asking, cancel := context.WithTimeout(ctx, registryPatience)
	_, unreachable := b.opts.Docker.DistributionInspect(asking, b.official, "")
	cancel()
	if unreachable == nil {
		id, err := b.fromImage(ctx, b.official, tags[0], progress)
		if err == nil {
			return id, nil
		}
		progress(fmt.Sprintf("%s could not be used: %v.", b.official, err))
	}
	progress("No image registry answers: making the base image from this host's own Debian packages. This is done once and takes about half a minute.")
	return b.fromDebian(ctx, tags[1], progress)
}

// fromImage pulls an image with Python, where the engine has it not yet, and
// installs Flask and gunicorn in it.
func (b *Builder) fromImage(ctx context.Context, ref, tag string, progress func(string)) (string, error) {
	if _, ok, err := b.imageID(ctx, ref); err != nil {
		return "", err
	} else if !ok {
		progress(fmt.Sprintf("Pulling %s. This is done once.", ref))
		answer, err := b.opts.Docker.ImagePull(ctx, ref, image.PullOptions{})
		if err == nil {
			err = drain(answer)
		}
		if err != nil {
			return "", fmt.Errorf("image %s: %w", ref, err)
		}
	}
	host := readHost(os.Environ())
	network, err := b.network(ctx, host)
	if err != nil {
		return "", fmt.Errorf("network of builds: %w", err)
	}
	settings, err := hostEnvironment(b.layersFolder(), host)
	if err != nil {
		return "", err
	}
	defer os.Remove(settings)
	mounts := append([]mount.Mount{{Type: mount.TypeBind, Source: settings, Target: "/run/host.env", ReadOnly: true}}, host.mounts...)
	var output []string
	end, err := b.run(ctx, step{
		config: &container.Config{Image: ref, User: "0:0", Entrypoint: noEntrypoint, Cmd: []string{"/bin/sh", "-c", pulledRecipe}},
		host:   &container.HostConfig{NetworkMode: network, Mounts: mounts},
		keep: func(ctx context.Context, id string) error {
			_, err := b.opts.Docker.ContainerCommit(ctx, id, container.CommitOptions{Reference: tag, Comment: "Python for Kurama", Changes: plainStart})
			return err
		},
	}, func(l string) { output = append(output, l) })
	if err != nil {
		return "", fmt.Errorf("image %s: %w", ref, err)
	}
	if end.code != 0 {
		return "", fmt.Errorf("image %s: Flask could not be installed: %s", ref, pipSaid(output))
	}
	id, _, err := b.imageID(ctx, tag)
	return id, err
}

// hostEnvironment writes the host's settings as a file for the shell. In the
// container's own environment they would stay in the committed image, and they
// may hold passwords.
func hostEnvironment(folder string, host hostSettings) (string, error) {
	f, err := os.CreateTemp(folder, "env-*"+unfinished)
	if err != nil {
		return "", fmt.Errorf("settings of the host: %w", err)
	}
	for _, pair := range host.env {
		name, value, _ := strings.Cut(pair, "=")
		fmt.Fprintf(f, "export %s='%s'\n", name, strings.ReplaceAll(value, "'", `'\''`))
	}
	return f.Name(), f.Close()
}

// fromDebian makes a Debian base with Python from this host's package mirror.
func (b *Builder) fromDebian(ctx context.Context, tag string, progress func(string)) (string, error) {
	path, err := exec.LookPath("mmdebstrap")
	if err != nil {
		return "", errors.New("no image registry answers and mmdebstrap is not installed, so no base image can be made: install it (apt install mmdebstrap), or name an image with Python in build.base")
	}
	cmd := exec.CommandContext(ctx, path, mmdebstrapArgs(ctx)...)
	cmd.Stdin = strings.NewReader(debianSources(ctx))
	tarball, err := cmd.StdoutPipe()
	if err != nil {
		return "", fmt.Errorf("mmdebstrap: %w", err)
	}
	said, err := cmd.StderrPipe()
	if err != nil {
		return "", fmt.Errorf("mmdebstrap: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("mmdebstrap: %w", err)
	}
	var last []string
	var reading sync.WaitGroup
	reading.Go(func() { last = follow(said, progress) })
	answer, importErr := b.opts.Docker.ImageImport(ctx, image.ImportSource{Source: tarball, SourceName: "-"}, tag,
		image.ImportOptions{Changes: []string{"ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}})
	if importErr == nil {
		importErr = drain(answer)
	}
	_, _ = io.Copy(io.Discard, tarball) // lets mmdebstrap end when the engine refused
	reading.Wait()
	if err := cmd.Wait(); err != nil {
		b.untag(tag) // the engine imports what a broken stream held
		return "", fmt.Errorf("mmdebstrap: %w: %s", err, strings.Join(last, " "))
	}
	if importErr != nil {
		return "", fmt.Errorf("import of the base image: %w", importErr)
	}
	id, _, err := b.imageID(ctx, tag)
	return id, err
}

func (b *Builder) untag(tag string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, _ = b.opts.Docker.ImageRemove(ctx, tag, image.RemoveOptions{})
}

// follow passes mmdebstrap's own steps on and returns its last lines.
func follow(from io.Reader, progress func(string)) (last []string) {
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		line := lines.Text()
		if last = append(last, line); len(last) > 8 {
			last = last[1:]
		}
		if text, ok := strings.CutPrefix(line, "I: "); ok && (strings.HasPrefix(text, "running apt-get update") ||
			strings.HasPrefix(text, "downloading") || strings.HasPrefix(text, "installing") || strings.HasPrefix(text, "creating")) {
			progress(text)
		}
	}
	return last
}
