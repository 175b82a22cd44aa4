package archive

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// shelf is the folder of one app: its manifest and the part that is open.
type shelf struct {
	folder   string
	manifest Manifest
	part     *part // nil while there is nothing to seal
	log      *slog.Logger
	zstd     *zstd.Encoder
	fault    func(step string) error
}

// openShelf reads the manifest and removes what it does not list: the traces
// of a crash between writing a file and listing it, or between unlisting and
// deleting one.
func openShelf(folder string, enc *zstd.Encoder, log *slog.Logger, fault func(string) error) (*shelf, error) {
	m, err := readManifest(folder)
	if err != nil {
		return nil, err
	}
	s := &shelf{folder: folder, manifest: m, zstd: enc, log: log, fault: fault}
	listed := map[string]bool{}
	for i := range m.Files {
		listed[m.Files[i].Name] = true
	}
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil || listed[filepath.ToSlash(name)] || !strings.HasSuffix(name, suffix) && !strings.HasSuffix(name, openSuffix) {
			return err
		}
		log.Info("an archive file that was not finished is removed; its records are read again", "file", path)
		return os.Remove(path)
	})
	if err != nil {
		return nil, fmt.Errorf("opening the archive folder %s: %w", folder, err)
	}
	return s, nil
}

// has reports whether the records of batch seq are sealed already.
func (s *shelf) has(epoch int, seq uint64) bool {
	return s.manifest.Epoch == epoch && seq <= s.manifest.LastSeq
}

// begin opens a part where none is open.
func (s *shelf) begin(seq uint64, window time.Time, enc *zstd.Encoder) error {
	if s.part != nil {
		return nil
	}
	p, err := openPart(s.folder, seq, window, enc)
	s.part = p
	return err
}

// seal makes the open part a file of the archive: durable bytes first, then
// the name, then the line in the manifest. Only the last step counts.
func (s *shelf) seal(epoch int) error {
	if s.part == nil {
		return nil
	}
	p := s.part
	if err := p.finish(); err != nil {
		return err
	}
	if err := s.fault("rename"); err != nil {
		return err
	}
	if err := makeFolder(filepath.Join(s.folder, p.day)); err != nil {
		return err
	}
	p.info.Epoch = epoch
	p.info.Name = fileName(p.day, &p.info)
	if err := rename(p.file.Name(), filepath.Join(s.folder, p.info.Name)); err != nil {
		return err
	}
	if err := s.fault("manifest"); err != nil {
		return err
	}
	next := s.manifest
	next.Epoch, next.LastSeq = epoch, p.info.Last
	next.Files = append(next.Files[:len(next.Files):len(next.Files)], p.info)
	if err := s.replace(next); err != nil {
		return err
	}
	s.part = nil
	return nil
}

// replace makes next the manifest.
func (s *shelf) replace(next Manifest) error {
	if err := writeJSON(filepath.Join(s.folder, manifestName), next); err != nil {
		return err
	}
	s.manifest = next
	return nil
}

// expire takes the files of days before oldest out of the archive.
func (s *shelf) expire(oldest string) error {
	n := 0
	for n < len(s.manifest.Files) && s.manifest.Files[n].day() < oldest {
		n++
	}
	if n == 0 {
		return nil
	}
	s.log.Info("archive files beyond the retention are removed", "folder", s.folder, "files", n)
	return s.drop(n, s.manifest.Removed)
}

// drop takes the n oldest files out of the archive: first off the manifest,
// then off the disk. removed is what the manifest says from then on.
func (s *shelf) drop(n, removed int) error {
	gone, next := s.manifest.Files[:n], s.manifest
	next.Files, next.Removed = s.manifest.Files[n:], removed
	if err := s.replace(next); err != nil {
		return err
	}
	return s.remove(gone)
}

// remove deletes files that are not listed any more, and folders left empty.
func (s *shelf) remove(files []File) error {
	for i := range files {
		path := filepath.Join(s.folder, files[i].Name)
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("removing an archive file: %w", err)
		}
		_ = os.Remove(filepath.Dir(path)) // fails as long as the day holds another file
	}
	return nil
}

// fileName names a file by its batches; streams after the first have a mark,
// since their batches are numbered from 1 again.
func fileName(day string, f *File) string {
	mark := ""
	if f.Epoch > 0 {
		mark = fmt.Sprintf("e%d-", f.Epoch)
	}
	return fmt.Sprintf("%s/%s%d-%d%s", day, mark, f.First, f.Last, suffix)
}
