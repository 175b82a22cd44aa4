package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

const (
	// joinCount files of one size are joined: a file a minute would be 130,000 in 90 days, and as many lines in the manifest.
	joinCount = 32
	// maxJoined bounds a joined file.
	maxJoined = 512 << 20
)

// errDamaged says that a sealed file is not what its manifest says.
var errDamaged = errors.New("the file is damaged")

// join makes one file of neighbours where there are many. Where the day today
// is given, the files of days before it are joined however few they are.
func (s *shelf) join(today string) error {
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

// joinable chooses files[i:j]: joinCount of the same size (counted in parts, by
// powers of joinCount), or all of a day that is over.
func joinable(files []File, today string) (i, j int) {
	for i := 0; i < len(files); i = j {
		bytes, over := files[i].Bytes, files[i].day() < today
		for j = i + 1; j < len(files) && files[j].day() == files[i].day() && bytes+files[j].Bytes <= maxJoined; j++ {
			if files[j].Epoch != files[i].Epoch || !over && (j-i == joinCount || tier(&files[j]) != tier(&files[i])) {
				break
			}
			bytes += files[j].Bytes
		}
		if n := j - i; n >= joinCount || n > 1 && over {
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
	if err = s.concatenate(path+openSuffix, old, &joined); err != nil {
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
// each on the way: damage must not be hidden under a fresh checksum. It fills in
// joined's sizes and sum.
func (s *shelf) concatenate(path string, files []File, joined *File) error {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("joining archive files: %w", err)
	}
	defer out.Close()
	all := sha256.New()
	fw := &frameWriter{w: io.MultiWriter(out, all), zstd: s.zstd}
	for i := range files {
		if err := s.appendFile(fw, &files[i]); err != nil {
			return err
		}
	}
	if joined.Bytes, joined.Index, err = fw.end(); err != nil {
		return err
	}
	joined.SHA256 = hex.EncodeToString(all.Sum(nil))
	if err := out.Sync(); err != nil {
		return fmt.Errorf("joining archive files: %w", err)
	}
	return nil
}

// appendFile appends the frames of a sealed file to fw. Full ones are taken as
// they are; small ones, of apps that say little, are packed anew together:
// alone they pack two to three times worse. A file has up to maxJoined bytes,
// more than the role's memory: one small frame of it is held at a time.
func (s *shelf) appendFile(fw *frameWriter, f *File) error {
	file, err := os.Open(filepath.Join(s.folder, f.Name))
	if err != nil {
		return fmt.Errorf("reading an archive file: %w", err)
	}
	defer file.Close()
	if err := checkSum(file, f); err != nil {
		return err
	}
	frames, err := readIndex(file, f)
	if err != nil {
		return err
	}
	at := int64(0)
	for _, one := range frames {
		data := io.NewSectionReader(file, at, int64(one.bytes))
		if one.plain == 0 || one.plain >= frameBytes/2 {
			err = fw.copied(data, one)
		} else {
			err = repack(fw, data, one)
		}
		if err != nil {
			return fmt.Errorf("joining %s: %w", f.Name, err)
		}
		at += int64(one.bytes)
	}
	return nil
}

// checkSum reads a sealed file to its end and compares it with what the
// manifest says.
func checkSum(file io.Reader, f *File) error {
	sum := sha256.New()
	n, err := io.Copy(sum, file)
	if err != nil {
		return fmt.Errorf("reading the archive file %s: %w", f.Name, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); n != f.Bytes || got != f.SHA256 {
		return damage(f, n, got)
	}
	return nil
}

// repack adds the text of a frame to the one that fw fills.
func repack(fw *frameWriter, packed io.Reader, one frame) error {
	data, err := io.ReadAll(packed)
	if err != nil {
		return err
	}
	text, err := inflate(data, int64(one.plain))
	if err != nil {
		return err
	}
	if fw.open.records == 0 {
		fw.open = one
	} else {
		fw.open.from, fw.open.to = min(fw.open.from, one.from), max(fw.open.to, one.to)
		fw.open.records, fw.open.last = fw.open.records+one.records, one.last
	}
	if fw.lines = append(fw.lines, text...); len(fw.lines) < frameBytes {
		return nil
	}
	return fw.flush()
}

// inflate returns the text of a frame, which has plain bytes.
func inflate(data []byte, plain int64) ([]byte, error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(frameBytes+maxLine))
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	text, err := dec.DecodeAll(data, nil)
	if err != nil || int64(len(text)) != plain {
		return nil, fmt.Errorf("a frame of %d bytes has %d bytes of text, want %d (%v): %w", len(data), len(text), plain, err, errDamaged)
	}
	return text, nil
}

// damage says what a file has and should have.
func damage(f *File, bytes int64, sum string) error {
	return fmt.Errorf("%s: %d bytes with SHA-256 %s, want %d with %s: %w", f.Name, bytes, sum, f.Bytes, f.SHA256, errDamaged)
}
