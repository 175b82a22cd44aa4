package build

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"kurama/paas"
)

// maxNamed of the files that are different are named; all are counted.
const maxNamed = 200

// Changes compares the sources of two releases of an app. It returns nil where
// one of them is no longer kept.
func (b *Builder) Changes(tenant, app string, from, to int) (*paas.FileChanges, error) {
	before, err := filesOf(b.SourceFolder(tenant, app, from))
	if err == nil {
		var after map[string]fs.FileInfo
		if after, err = filesOf(b.SourceFolder(tenant, app, to)); err == nil {
			return b.compare(before, after, b.SourceFolder(tenant, app, from), b.SourceFolder(tenant, app, to))
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return nil, fmt.Errorf("sources of releases %d and %d of app %s: %w", from, to, app, err)
}

// filesOf returns the files below a folder by their path in it.
func filesOf(folder string) (map[string]fs.FileInfo, error) {
	files := map[string]fs.FileInfo{}
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		path, err := filepath.Rel(folder, name)
		if err == nil {
			files[filepath.ToSlash(path)], err = d.Info()
		}
		return err
	})
	return files, err
}

func (b *Builder) compare(before, after map[string]fs.FileInfo, was, is string) (*paas.FileChanges, error) {
	c := &paas.FileChanges{Files: []paas.FileChange{}}
	all := maps.Clone(before)
	maps.Copy(all, after)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		old, there := before[path]
		now, still := after[path]
		what := "changed"
		switch {
		case !there:
			what = "added"
			c.Added++
		case !still:
			what = "removed"
			c.Removed++
		default:
			same, err := sameFile(old, now, filepath.Join(was, path), filepath.Join(is, path))
			if err != nil {
				return nil, err
			}
			if same {
				continue
			}
			c.Changed++
		}
		if len(c.Files) < maxNamed {
			c.Files = append(c.Files, paas.FileChange{Path: path, What: what})
		}
	}
	return c, nil
}

// sameFile reports whether two files hold the same. Those of a rollback are
// links to one another.
func sameFile(a, b fs.FileInfo, was, is string) (bool, error) {
	if os.SameFile(a, b) {
		return true, nil
	}
	if a.Size() != b.Size() || a.Mode().Perm() != b.Mode().Perm() {
		return false, nil
	}
	one, err := os.Open(was)
	if err != nil {
		return false, err
	}
	defer one.Close()
	other, err := os.Open(is)
	if err != nil {
		return false, err
	}
	defer other.Close()
	p, q := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(one, p)
		m, wrong := io.ReadFull(other, q)
		if n != m || !bytes.Equal(p[:n], q[:m]) {
			return false, nil
		}
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return true, nil
			}
			return false, errors.Join(err, wrong)
		}
	}
}
