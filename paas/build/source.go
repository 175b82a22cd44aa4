package build

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"kurama/paas"
)

// treeDigest returns the SHA-256 over the paths, kinds and contents of all
// files below folder, in a fixed order; empty folders do not count.
func treeDigest(folder string) (string, error) {
	sum := sha256.New()
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(folder, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s\x00%t\x00%d\x00", filepath.ToSlash(rel), info.Mode().Perm()&0o100 != 0, info.Size())
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(sum, f)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}

// Reuse gives release to the source of release from, as a rollback or a change
// of settings needs it. The files are shared, since a source never changes. It
// returns *paas.Invalid when the source is no longer kept.
func (b *Builder) Reuse(tenant, app string, from, to int) error {
	source, target := b.SourceFolder(tenant, app, from), b.SourceFolder(tenant, app, to)
	if _, err := os.Stat(source); errors.Is(err, fs.ErrNotExist) {
		return invalid("The source of release %d is no longer kept: only the last %d are. Upload it again.", from, b.cfg.KeepSource)
	}
	temp := filepath.Join(b.releases(), fmt.Sprintf("%s-%s-%d%s", tenant, app, to, unfinished))
	if err := errors.Join(os.RemoveAll(temp), linkTree(source, temp)); err != nil {
		return errors.Join(fmt.Errorf("source of release %d: %w", from, err), os.RemoveAll(temp))
	}
	return b.place(temp, target)
}

// linkTree makes target a copy of source whose files are hard links.
func linkTree(source, target string) error {
	return filepath.WalkDir(source, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(source, name)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Mkdir(filepath.Join(target, rel), 0o755)
		}
		return os.Link(name, filepath.Join(target, rel))
	})
}

// Sync makes the source of a release survive a power cut: it returns once all
// of it is on disk.
func (b *Builder) Sync(tenant, app string, release int) error {
	folder := b.SourceFolder(tenant, app, release)
	var flushing errgroup.Group
	flushing.SetLimit(syncsAtOnce) // the disk joins those that come together
	err := filepath.WalkDir(folder, func(name string, _ fs.DirEntry, err error) error {
		if err == nil {
			flushing.Go(func() error { return syncFile(name) })
		}
		return err
	})
	err = errors.Join(err, flushing.Wait())
	// The names above the folder may be new, too.
	for dir := filepath.Dir(folder); err == nil && len(dir) >= len(b.releases()); dir = filepath.Dir(dir) {
		err = syncFile(dir)
	}
	if err != nil {
		return fmt.Errorf("source of release %d of app %s: %w", release, app, err)
	}
	return nil
}

const syncsAtOnce = 8

func syncFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// RemoveSource removes the source of one release; one that is gone is no error.
func (b *Builder) RemoveSource(tenant, app string, release int) error {
	return os.RemoveAll(b.SourceFolder(tenant, app, release))
}

// RemoveApp removes the sources of all releases of an app.
func (b *Builder) RemoveApp(tenant, app string) error {
	if paas.CheckName("an app", app) != nil || paas.CheckName("a tenant", tenant) != nil {
		return fmt.Errorf("no folder belongs to %q of tenant %q", app, tenant)
	}
	return os.RemoveAll(filepath.Join(b.releases(), tenant, app))
}

// KeepSources removes the sources of an app's releases beyond the newest
// build.keep_source, but never those of the needed ones.
func (b *Builder) KeepSources(tenant, app string, needed ...int) error {
	entries, err := os.ReadDir(filepath.Join(b.releases(), tenant, app))
	if err != nil {
		return fmt.Errorf("sources of app %s: %w", app, err)
	}
	var numbers []int
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	var errs []error
	for _, n := range numbers[:max(0, len(numbers)-b.cfg.KeepSource)] {
		if !slices.Contains(needed, n) {
			errs = append(errs, b.RemoveSource(tenant, app, n))
		}
	}
	return errors.Join(errs...)
}
