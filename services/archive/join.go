package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

const (
	// joinCount files of one size are joined: a file a minute would be 130,000 in 90 days, and as many lines in the manifest.
	joinCount = 32
	// maxJoined bounds a joined file.
	maxJoined = 512 << 20
)

// errDamaged says that a sealed file is not what its manifest says.
var errDamaged = errors.New("the file is damaged")

// join makes one file of neighbours where there are many. Frames of zstd may
// follow one another, so nothing is compressed again.
func (s *shelf) join(now time.Time) error {
	today := now.UTC().Format(dayLayout)
	for {
		i, j := joinable(s.manifest.Files, today)
		if j == 0 {
			return nil
		}
		err := s.joinFiles(i, j)
		if errors.Is(err, errDamaged) {
			s.log.Error("archive files are not joined", "folder", s.folder, "error", err)
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// joinable chooses files[i:j]: all of a day that is over, or the last ones of
// the same size (counted in parts, by powers of joinCount) of a day that is not.
func joinable(files []File, today string) (i, j int) {
	for i := 0; i < len(files); i = j {
		bytes := files[i].Bytes
		for j = i + 1; j < len(files) && files[j].day() == files[i].day() && bytes+files[j].Bytes <= maxJoined; j++ {
			if files[j].Epoch != files[i].Epoch || files[i].day() == today && tier(&files[j]) != tier(&files[i]) {
				break
			}
			bytes += files[j].Bytes
		}
		if n := j - i; n >= joinCount || n > 1 && files[i].day() < today {
			return i, j
		}
	}
	return 0, 0
}

func tier(f *File) (t int) {
	for n := f.Parts; n >= joinCount; n /= joinCount {
		t++
	}
	return t
}

// joinFiles replaces files[i:j] of the manifest by one: written and durable
// first, listed second, the former ones deleted last.
func (s *shelf) joinFiles(i, j int) error {
	old := s.manifest.Files[i:j]
	joined := old[0]
	for _, f := range old[1:] {
		joined.Last, joined.Records, joined.Parts = f.Last, joined.Records+f.Records, joined.Parts+f.Parts
		if f.From.Before(joined.From) {
			joined.From = f.From
		}
		if f.To.After(joined.To) {
			joined.To = f.To
		}
	}
	joined.Name = fileName(old[0].day(), &joined)
	path := filepath.Join(s.folder, joined.Name)
	var err error
	if joined.Bytes, joined.SHA256, err = s.concatenate(path+openSuffix, old); err != nil {
		_ = os.Remove(path + openSuffix)
		return err
	}
	if err := rename(path+openSuffix, path); err != nil {
		return err
	}
	if err := s.fault("join"); err != nil {
		return err
	}
	next := s.manifest
	next.Files = append(append(append([]File{}, s.manifest.Files[:i]...), joined), s.manifest.Files[j:]...)
	if err := s.replace(next); err != nil {
		return err
	}
	return s.remove(old)
}

// concatenate writes files one after the other to path, durably, and checks
// each on the way: damage must not be hidden under a fresh checksum.
func (s *shelf) concatenate(path string, files []File) (bytes int64, sum string, err error) {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, "", fmt.Errorf("joining archive files: %w", err)
	}
	defer out.Close()
	all := sha256.New()
	for i := range files {
		n, err := copyChecked(io.MultiWriter(out, all), s.folder, &files[i])
		if err != nil {
			return 0, "", err
		}
		bytes += n
	}
	if err := out.Sync(); err != nil {
		return 0, "", fmt.Errorf("joining archive files: %w", err)
	}
	return bytes, hex.EncodeToString(all.Sum(nil)), nil
}

// copyChecked copies a sealed file to w; errDamaged where its size or sum is
// not as listed.
func copyChecked(w io.Writer, folder string, f *File) (int64, error) {
	in, err := os.Open(filepath.Join(folder, f.Name))
	if err != nil {
		return 0, fmt.Errorf("reading an archive file: %w", err)
	}
	defer in.Close()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, sum), in)
	if err != nil {
		return n, fmt.Errorf("copying the archive file %s: %w", f.Name, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); n != f.Bytes || got != f.SHA256 {
		return n, fmt.Errorf("%s: %d bytes with SHA-256 %s, want %d with %s: %w", f.Name, n, got, f.Bytes, f.SHA256, errDamaged)
	}
	return n, nil
}
