package backup

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// maxManifest bounds the first entry.
const maxManifest = 1 << 20

// Read unpacks a backup: the installation's files into the folder data, the
// database into the file dump. What is there already is replaced only by an
// entry of the same name. A file that is cut off or damaged is an error.
func Read(r io.Reader, data, dump string) (Manifest, Stats, error) {
	unpacked, err := zstd.NewReader(r)
	if err != nil {
		return Manifest{}, Stats{}, fmt.Errorf("reading the backup: %w", err)
	}
	defer unpacked.Close()
	in := tar.NewReader(unpacked)
	m, err := readManifest(in)
	if err != nil {
		return m, Stats{}, err
	}
	root, err := os.OpenRoot(data)
	if err != nil {
		return m, Stats{}, fmt.Errorf("opening the data folder: %w", err)
	}
	defer func() { _ = root.Close() }()
	u := &unpacker{root: root, dump: dump}
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = u.entry(h, in)
		}
		if err != nil {
			return m, u.stats, fmt.Errorf("the backup cannot be read to its end: %w", err)
		}
	}
	if !u.dumped {
		return m, u.stats, errors.New("the backup holds no database")
	}
	return m, u.stats, u.settle()
}

func readManifest(in *tar.Reader) (m Manifest, err error) {
	h, err := in.Next()
	if err != nil || h.Name != manifestName {
		return m, errors.Join(errors.New("this is not a backup of Kurama's: `kurama backup FILE` makes one"), err)
	}
	if err := json.NewDecoder(io.LimitReader(in, maxManifest)).Decode(&m); err != nil {
		return m, fmt.Errorf("reading what the backup says of itself: %w", err)
	}
	if m.Version < 1 || m.Version > Version {
		return m, fmt.Errorf("the backup has the form %d, and this version reads up to %d: use a newer Kurama", m.Version, Version)
	}
	return m, nil
}

// unpacker writes entries; the root keeps every path, and every link that one
// leads through, inside the folder.
type unpacker struct {
	root   *os.Root
	dump   string
	dumped bool
	dirs   []*tar.Header // their modes and times come last
	stats  Stats
}

func (u *unpacker) entry(h *tar.Header, in io.Reader) error {
	if h.Name == DatabaseName {
		u.dumped = true
		out, err := os.OpenFile(u.dump, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		return u.fill(out, in)
	}
	name, ok := strings.CutPrefix(h.Name, folderName)
	name = strings.TrimSuffix(name, "/")
	if !ok || !filepath.IsLocal(name) {
		return fmt.Errorf("it holds %q, which does not belong there", h.Name)
	}
	if err := u.root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	h.Name = name
	switch h.Typeflag {
	case tar.TypeDir:
		u.dirs = append(u.dirs, h)
		return u.root.MkdirAll(name, 0o755)
	case tar.TypeSymlink:
		if err := u.root.RemoveAll(name); err != nil {
			return err
		}
		if err := u.root.Symlink(h.Linkname, name); err != nil {
			return err
		}
		return u.own(h, u.root.Lchown)
	case tar.TypeReg:
		return u.regular(h, in)
	}
	return fmt.Errorf("%s is neither a file, a folder nor a link", name)
}

func (u *unpacker) regular(h *tar.Header, in io.Reader) error {
	out, err := u.root.OpenFile(h.Name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := u.fill(out, in); err != nil {
		return fmt.Errorf("writing %s: %w", h.Name, err)
	}
	if err := u.own(h, u.root.Chown); err != nil {
		return err
	}
	return u.dress(h)
}

// fill copies in to out, sparsely: images of volumes are mostly holes.
func (u *unpacker) fill(out *os.File, in io.Reader) error {
	n, err := copySparse(out, in)
	if err == nil {
		err = out.Truncate(n)
	}
	if err == nil {
		err = out.Sync()
	}
	u.stats.Files++
	u.stats.Bytes += n
	return errors.Join(err, out.Close())
}

// own gives an entry to whom it belonged, where this process may.
func (u *unpacker) own(h *tar.Header, chown func(string, int, int) error) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return chown(h.Name, h.Uid, h.Gid)
}

// dress sets mode and time: Python compares the time of a source with the one
// that its compiled form names.
func (u *unpacker) dress(h *tar.Header) error {
	if err := u.root.Chmod(h.Name, h.FileInfo().Mode().Perm()); err != nil {
		return err
	}
	return u.root.Chtimes(h.Name, time.Time{}, h.ModTime)
}

// settle dresses the folders, the deepest first: writing into one changes its
// time, and its mode may not let anybody in.
func (u *unpacker) settle() error {
	for i := len(u.dirs) - 1; i >= 0; i-- {
		if err := u.own(u.dirs[i], u.root.Chown); err != nil {
			return err
		}
		if err := u.dress(u.dirs[i]); err != nil {
			return err
		}
	}
	return nil
}

// copySparse copies in to out and returns the length; blocks of zeros become
// holes.
func copySparse(out *os.File, in io.Reader) (int64, error) {
	block, at := make([]byte, 64<<10), int64(0)
	for {
		n, err := io.ReadFull(in, block)
		if !empty(block[:n]) {
			if _, err := out.WriteAt(block[:n], at); err != nil {
				return at, err
			}
		}
		at += int64(n)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return at, nil
		}
		if err != nil {
			return at, err
		}
	}
}

func empty(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}
