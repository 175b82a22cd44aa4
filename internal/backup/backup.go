// Package backup writes the folder of an installation into one file and back:
// a tar stream, compressed with zstd, whose first entry describes it.
package backup

import (
	"archive/tar"
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

	"github.com/klauspost/compress/zstd"
)

// Version is the form of the file; restore refuses a newer one.
const Version = 1

// The entries beside the installation's own files.
const (
	manifestName = "kurama-backup.json"
	DatabaseName = "database.dump" // pg_dump's custom format
	folderName   = "data/"         // below it the files of the data folder
)

// Manifest is the first entry of a backup.
type Manifest struct {
	Version   int       `json:"version"`
	CreatedAt time.Time `json:"created_at"`
	Instance  string    `json:"instance"` // name of the installation
	Running   bool      `json:"running"`  // the platform was running: the stream is not in it
	Data      string    `json:"data"`     // the folder that it was made of
}

// Source is what a backup is made of.
type Source struct {
	Manifest Manifest
	Data     string   // data folder
	Dump     string   // file with the database
	Leave    []string // what is left out: names in the data folder
	Again    string   // folder in the data folder whose files change all the time: it is looked at twice
}

// Stats say what was written or read.
type Stats struct {
	Files int
	Bytes int64 // before compression
}

// writer writes a backup.
type writer struct {
	tar   *tar.Writer
	src   Source
	done  map[string]fs.FileInfo // what is in it, by its path in the data folder
	dev   uint64                 // file system of the data folder
	stats Stats
}

// Write writes a backup of src to w. Files that go while it works are left out.
func Write(w io.Writer, src Source) (Stats, error) {
	packed, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		return Stats{}, fmt.Errorf("compressing the backup: %w", err)
	}
	b := &writer{tar: tar.NewWriter(packed), src: src, done: map[string]fs.FileInfo{}}
	err = b.all()
	if err == nil {
		err = b.tar.Close()
	}
	return b.stats, errors.Join(err, packed.Close())
}

func (b *writer) all() error {
	text, err := json.MarshalIndent(b.src.Manifest, "", "  ")
	if err != nil {
		return fmt.Errorf("describing the backup: %w", err)
	}
	if err := b.tar.WriteHeader(&tar.Header{Name: manifestName, Mode: 0o600, Size: int64(len(text)), ModTime: b.src.Manifest.CreatedAt}); err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	if _, err := b.tar.Write(text); err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	info, err := os.Stat(b.src.Dump)
	if err == nil {
		err = b.file(b.src.Dump, DatabaseName, info)
	}
	if err != nil {
		return err
	}
	root, err := os.Stat(b.src.Data)
	if err != nil {
		return fmt.Errorf("reading the data folder: %w", err)
	}
	b.dev = device(root)
	if err := b.walk(b.src.Data); err != nil {
		return err
	}
	if b.src.Again == "" {
		return nil
	}
	// What was listed while its file was replaced by another is there now.
	if err := b.walk(filepath.Join(b.src.Data, b.src.Again)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// walk adds what is below dir and not in the backup yet as it is.
func (b *writer) walk(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path != dir {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(b.src.Data, path)
		if err != nil || rel == "." {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
		if b.left(rel) || d.IsDir() && device(info) != b.dev { // a mounted volume: its image is beside it
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if old, ok := b.done[rel]; ok && old.ModTime().Equal(info.ModTime()) && old.Size() == info.Size() {
			return nil
		}
		b.done[rel] = info
		return b.file(path, folderName+filepath.ToSlash(rel), info)
	})
}

// left reports whether a path of the data folder stays out of the backup.
func (b *writer) left(rel string) bool {
	top, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
	for _, name := range b.src.Leave {
		if top == name {
			return true
		}
	}
	return false
}

// file adds a folder, a file or a link; sockets and the like are left out.
func (b *writer) file(path, name string, info fs.FileInfo) error {
	link := ""
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		var err error
		if link, err = os.Readlink(path); err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
	case !mode.IsRegular() && !mode.IsDir():
		return nil
	}
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return fmt.Errorf("describing %s: %w", path, err)
	}
	h.Name, h.Format, h.Uname, h.Gname = name, tar.FormatPAX, "", ""
	if !info.Mode().IsRegular() {
		return b.tar.WriteHeader(h)
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	defer func() { _ = f.Close() }()
	if err := b.tar.WriteHeader(h); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	// A file that grows is cut at the size it had; one that shrinks is filled up.
	n, err := io.Copy(b.tar, io.LimitReader(f, h.Size))
	if err == nil && n < h.Size {
		_, err = io.CopyN(b.tar, zeros{}, h.Size-n)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	b.stats.Files++
	b.stats.Bytes += h.Size
	return nil
}

// zeros reads as zeros without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func device(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Dev
	}
	return 0
}
