package build

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/mount"

	"kurama/paas"
)

// wheelsUnused is how long the wheels of a tenant that builds nothing are kept.
const wheelsUnused = 30 * 24 * time.Hour

// pipCache is where builds see the wheels of their tenant.
const pipCache = "/var/cache/pip"

func (b *Builder) wheels() string { return filepath.Join(b.opts.Data, "wheels") }

// keepsWheels reports whether a tenant's builds find the wheels of its earlier ones.
func (b *Builder) keepsWheels(tenant string) bool {
	return b.cfg.CacheMax > 0 && paas.CheckName("a tenant", tenant) == nil
}

// layerOwner returns how the keys of a tenant's layers end: they are its own
// where pip may take wheels that the tenant's earlier builds left, since these
// can have put anything there. It is "" where all comes from the index, the same
// for everybody.
func (b *Builder) layerOwner(tenant string) string {
	if b.keepsWheels(tenant) {
		return "-" + tenant // a name begins with a letter, and a hash has no dash
	}
	return ""
}

// wheelsOf returns the folder of what pip fetched and built for a tenant
// before; empty where none is kept. No two tenants share one: what a build
// leaves there, the next one installs.
func (b *Builder) wheelsOf(tenant string) (string, error) {
	if !b.keepsWheels(tenant) {
		return "", nil
	}
	folder := filepath.Join(b.wheels(), tenant)
	if err := errors.Join(os.MkdirAll(b.wheels(), 0o711), os.Chmod(b.wheels(), 0o711), os.MkdirAll(folder, 0o700)); err != nil {
		return "", fmt.Errorf("wheels of tenant %s: %w", tenant, err)
	}
	uid, gid := builder()
	now := time.Now()
	return folder, errors.Join(os.Chown(folder, uid, gid), os.Chtimes(folder, now, now))
}

// useWheels lets pip find and keep wheels in a folder of the host.
func (s *step) useWheels(folder string) {
	if folder == "" {
		s.config.Env = append(s.config.Env, "PIP_NO_CACHE_DIR=1")
		return
	}
	s.config.Env = append(s.config.Env, "PIP_CACHE_DIR="+pipCache)
	s.host.Mounts = append(s.host.Mounts, mount.Mount{Type: mount.TypeBind, Source: folder, Target: pipCache})
}

// keepWheels removes the oldest files of a tenant's wheels beyond
// build.cache_max. A build may be at work there, and may be hostile: nothing
// outside the folder is reached by whatever it does with names in it.
func (b *Builder) keepWheels(folder string) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("wheels: %w", err)
	}
	defer root.Close()
	type file struct {
		name string
		size int64
		at   time.Time
	}
	var files []file
	var size int64
	_ = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // what has vanished needs no room
		}
		if info, err := d.Info(); err == nil {
			files = append(files, file{name, info.Size(), info.ModTime()})
			size += info.Size()
		}
		return nil
	})
	slices.SortFunc(files, func(a, b file) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.name, b.name)) })
	for _, f := range files {
		if size <= int64(b.cfg.CacheMax) {
			break
		}
		if root.Remove(f.name) == nil {
			size -= f.size
		}
	}
	return nil
}

// RemoveTenant removes the wheels of a tenant and the layers that were made with
// them, so that whoever gets its name next starts with none.
func (b *Builder) RemoveTenant(tenant string) error {
	if err := paas.CheckName("a tenant", tenant); err != nil {
		return err
	}
	errs := []error{os.RemoveAll(filepath.Join(b.wheels(), tenant))}
	entries, err := os.ReadDir(b.layersFolder())
	for _, e := range entries {
		if _, owner, _ := strings.Cut(e.Name(), "-"); owner == tenant || owner == tenant+unfinished {
			errs = append(errs, os.RemoveAll(filepath.Join(b.layersFolder(), e.Name())))
		}
	}
	if err := errors.Join(append(errs, err)...); err != nil {
		return fmt.Errorf("what the builds of tenant %s left: %w", tenant, err)
	}
	return nil
}

// dropUnusedWheels removes those of tenants that have built nothing for long.
func (b *Builder) dropUnusedWheels() error {
	entries, err := os.ReadDir(b.wheels())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > wheelsUnused {
			errs = append(errs, os.RemoveAll(filepath.Join(b.wheels(), e.Name())))
		}
	}
	return errors.Join(errs...)
}
