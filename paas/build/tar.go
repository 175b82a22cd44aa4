package build

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxTarStream bounds what is decompressed of a tar.gz, ignored folders
// included, because they too cost time.
const maxTarStream = 4 << 30

// tarArchive is read twice: once to judge all names before anything is
// written, once to unpack.
type tarArchive struct{ file *os.File }

func (t *tarArchive) Close() error { return t.file.Close() }

func (t *tarArchive) headers() ([]header, error) {
	var found []header
	err := t.each(func(h *tar.Header, _ io.Reader) error {
		found = append(found, header{
			name: h.Name, dir: h.Typeflag == tar.TypeDir, exec: h.FileInfo().Mode().Perm()&0o111 != 0, special: tarSpecial(h.Typeflag),
		})
		if len(found) > maxTarEntries {
			return invalid("The archive holds more than %d entries. Leave out virtual environments and build results. %s", maxTarEntries, nothingStored)
		}
		return nil
	})
	return found, err
}

// maxTarEntries bounds the listing itself, whose ignored entries do not count
// towards the configured number.
const maxTarEntries = 500_000

func tarSpecial(kind byte) string {
	switch kind {
	case tar.TypeReg, tar.TypeDir, tar.TypeGNUSparse:
		return ""
	case tar.TypeSymlink:
		return "a symbolic link"
	case tar.TypeLink:
		return "a hard link"
	case tar.TypeChar, tar.TypeBlock:
		return "a device"
	case tar.TypeFifo:
		return "a named pipe"
	}
	return "something that is no file"
}

func (t *tarArchive) unpack(fn func(i int, body io.Reader) error) error {
	i := -1
	return t.each(func(h *tar.Header, body io.Reader) error {
		i++
		if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeGNUSparse {
			return nil
		}
		return fn(i, body)
	})
}

// each calls fn with every entry but the global headers that git writes.
func (t *tarArchive) each(fn func(h *tar.Header, body io.Reader) error) error {
	if _, err := t.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	stream, err := gzip.NewReader(t.file)
	if err != nil {
		return invalid("The tar.gz archive cannot be read: %v. Pack it again. %s", err, nothingStored)
	}
	bounded := &boundedReader{from: stream, left: maxTarStream}
	r := tar.NewReader(bounded)
	name := "its start"
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return damaged(name, err)
		}
		name = h.Name
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		if err := fn(h, r); err != nil {
			return err
		}
	}
}

// boundedReader fails, rather than ends, when its bound is reached.
type boundedReader struct {
	from io.Reader
	left int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, invalid("The archive unpacks to more than %d GiB, as a bomb does. %s", maxTarStream>>30, nothingStored)
	}
	n, err := b.from.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
