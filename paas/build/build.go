// Package build turns what someone uploads into what a container can run: it
// takes hostile archives in, finds out how the app is started, installs its
// dependencies once into a layer of their own, and keeps the base image ready.
package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/docker/docker/client"

	"kurama/internal/config"
	"kurama/internal/turns"
	"kurama/paas"
)

// Options is what a Builder needs beside its settings.
type Options struct {
	Data     string // folder of all state; holds releases/ and layers/
	Instance string // name of the installation, carried by build containers as a label
	Threads  int    // gunicorn threads per worker
	SDK      fs.FS  // what goes into site-packages: kurama/ and kurama.pth; nil: nothing
	Docker   *client.Client
	Network  Network // nil: the engine's default bridge
	Walls    Walls   // nil: the engine's own
	Log      *slog.Logger
}

// Walls says what a container with somebody's code runs behind.
type Walls interface {
	// BuildShare returns the control group that builds share.
	BuildShare(ctx context.Context) (string, error)
	SecurityOptions(ctx context.Context) ([]string, error)
}

// Builder builds. Its methods may be called at the same time.
type Builder struct {
	cfg      config.Build
	opts     Options
	official string // image that build.base: auto asks a registry for
	base     lock   // held while the base image is looked for or made
	queue    *turns.Queue
	checkers chan *checker // gives one that is ready; see KeepChecker

	layers   sync.Mutex // guards what follows
	building map[string]lock
	pythons  map[string][]int // versions of Python by image
}

// New returns a Builder on opts.Data and removes what a builder that was killed
// left half done there.
func New(cfg config.Build, opts Options) (*Builder, error) {
	data, err := filepath.Abs(opts.Data)
	if err != nil {
		return nil, fmt.Errorf("data folder %s: %w", opts.Data, err)
	}
	opts.Data = data
	b := &Builder{cfg: cfg, opts: opts, official: officialImage, base: make(lock, 1),
		queue: turns.New(turns.Bounds{AtOnce: cfg.AtOnce, TenantAtOnce: cfg.TenantAtOnce, Most: cfg.Queue, TenantMost: cfg.TenantQueue}), checkers: make(chan *checker), building: map[string]lock{}, pythons: map[string][]int{}}
	for _, folder := range []string{b.releases(), b.layersFolder()} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("folder for builds: %w", err)
		}
		if err := removeUnfinished(folder); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// lock is held by one at a time; who waits for it may give up.
type lock chan struct{}

// take waits for the lock, and calls waiting where it is held by another. Its
// error is the cause of ctx's end.
func (l lock) take(ctx context.Context, waiting func()) (free func(), err error) {
	free = func() { <-l }
	select {
	case l <- struct{}{}:
		return free, nil
	default:
		waiting()
	}
	select {
	case l <- struct{}{}:
		return free, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (b *Builder) releases() string     { return filepath.Join(b.opts.Data, "releases") }
func (b *Builder) layersFolder() string { return filepath.Join(b.opts.Data, "layers") }

// unfinished ends the name of a folder that is still being filled.
const unfinished = ".tmp"

func removeUnfinished(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("folder for builds: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), unfinished) {
			errs = append(errs, os.RemoveAll(filepath.Join(folder, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// SourceFolder returns where the source of a release is, or would be.
func (b *Builder) SourceFolder(tenant, app string, release int) string {
	return filepath.Join(b.releases(), tenant, app, strconv.Itoa(release))
}

// LayerFolder returns where the layer with this key is; empty for the empty
// key, which stands for the base image alone.
func (b *Builder) LayerFolder(key string) string {
	if key == "" {
		return ""
	}
	return filepath.Join(b.layersFolder(), key)
}

func invalid(format string, args ...any) error {
	return &paas.Invalid{Reason: fmt.Sprintf(format, args...)}
}
