package build

import (
	"archive/zip"
	"cmp"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

type zipArchive struct {
	file *os.File
	zip  *zip.Reader
}

// encryptedFlag is the bit of a zip entry that marks it as encrypted.
const encryptedFlag = 0x1

func openZip(f *os.File, size int64) (packed, error) {
	r, err := zip.NewReader(f, size)
	if err != nil {
		return nil, invalid("The zip archive cannot be read: %v. Pack it again. %s", err, nothingStored)
	}
	return &zipArchive{file: f, zip: r}, nil
}

func (z *zipArchive) Close() error { return z.file.Close() }

func (z *zipArchive) headers() ([]header, error) {
	if err := z.refuseOverlap(); err != nil {
		return nil, err
	}
	found := make([]header, len(z.zip.File))
	for i, f := range z.zip.File {
		mode := f.Mode()
		found[i] = header{
			name: f.Name, dir: mode.IsDir() || strings.HasSuffix(f.Name, "/"), exec: mode.Perm()&0o111 != 0,
			encrypted: f.Flags&encryptedFlag != 0, special: special(mode),
		}
	}
	return found, nil
}

func special(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode&(fs.ModeDevice|fs.ModeCharDevice) != 0:
		return "a device"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeIrregular != 0:
		return "something that is no file"
	}
	return ""
}

// refuseOverlap finds entries that share bytes of the archive: that is how a
// small zip unpacks to petabytes without nesting.
func (z *zipArchive) refuseOverlap() error {
	type span struct {
		from, to int64
		name     string
	}
	var spans []span
	for _, f := range z.zip.File {
		offset, err := f.DataOffset()
		if err != nil {
			return damaged(f.Name, err)
		}
		// A local header has 30 bytes and the name in front of the data.
		from := offset - 30 - int64(len(f.Name))
		to := offset + int64(f.CompressedSize64)
		if to < offset {
			return invalid("The archive claims an impossible size for `%s`. %s", f.Name, nothingStored)
		}
		spans = append(spans, span{from, to, f.Name})
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	for i := 1; i < len(spans); i++ {
		if spans[i].from < spans[i-1].to {
			return invalid("The archive holds entries that overlap: `%s` and `%s`. %s", spans[i-1].name, spans[i].name, nothingStored)
		}
	}
	return nil
}

func (z *zipArchive) unpack(fn func(i int, body io.Reader) error) error {
	for i, f := range z.zip.File {
		if !f.Mode().IsRegular() || strings.HasSuffix(f.Name, "/") {
			continue
		}
		body, err := f.Open()
		if err != nil {
			return damaged(f.Name, err)
		}
		err = fn(i, body)
		body.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
