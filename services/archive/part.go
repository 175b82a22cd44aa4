package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"
)

// frameBytes is how much text one zstd frame holds. Frames depend on nothing
// but the app's own records, so that the same records give the same file.
const frameBytes = 256 << 10

// part is a file that is being written.
type part struct {
	file  *os.File
	zstd  *zstd.Encoder // shared by all parts; EncodeAll keeps no state
	sum   hash.Hash
	lines []byte    // the frame that is being filled
	day   string    // of the stream's clock
	began time.Time // of this host's clock
	info  File
}

func openPart(folder string, first uint64, day string, began time.Time, enc *zstd.Encoder) (*part, error) {
	file, err := os.OpenFile(filepath.Join(folder, fmt.Sprintf("%d%s", first, openSuffix)), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening an archive file: %w", err)
	}
	return &part{file: file, zstd: enc, sum: sha256.New(), day: day, began: began, info: File{First: first, Parts: 1}}, nil
}

// add appends the line of a record made at at.
func (p *part) add(line []byte, seq uint64, at time.Time) error {
	if p.info.Records == 0 || at.Before(p.info.From) {
		p.info.From = at
	}
	if p.info.Records == 0 || at.After(p.info.To) {
		p.info.To = at
	}
	p.info.Records++
	p.info.Last = seq
	p.lines = append(append(p.lines, line...), '\n')
	if len(p.lines) < frameBytes {
		return nil
	}
	return p.flush()
}

func (p *part) flush() error {
	if len(p.lines) == 0 {
		return nil
	}
	frame := p.zstd.EncodeAll(p.lines, nil)
	if _, err := p.file.Write(frame); err != nil {
		return fmt.Errorf("writing an archive file: %w", err)
	}
	p.sum.Write(frame)
	p.info.Bytes += int64(len(frame))
	p.lines = p.lines[:0]
	return nil
}

// finish writes what is left and makes it durable.
func (p *part) finish() error {
	if err := p.flush(); err != nil {
		return err
	}
	p.info.SHA256 = hex.EncodeToString(p.sum.Sum(nil))
	if err := errors.Join(p.file.Sync(), p.file.Close()); err != nil {
		return fmt.Errorf("sealing an archive file: %w", err)
	}
	return nil
}

// discard gives the part up; its records are still on the stream.
func (p *part) discard() {
	_ = p.file.Close()
	_ = os.Remove(p.file.Name())
}
