package archive

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// Verify reads every file of an app and compares it with the manifest: its
// size and SHA-256, its index, the number of its records, and that no batch is
// in two files. fn is told of each file, with what is wrong or nil; an error of
// fn ends it. The error names what is missing or damaged.
func (r *Reader) Verify(ctx context.Context, tenant, app string, fn func(File, error) error) error {
	folder, m, err := r.open(tenant, app)
	if err != nil {
		return err
	}
	var faults []error
	for i := range m.Files {
		f := &m.Files[i]
		fault := verifyFile(ctx, folder, f)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if i > 0 && f.Epoch == m.Files[i-1].Epoch && f.First <= m.Files[i-1].Last {
			fault = errors.Join(fault, fmt.Errorf("%s begins with batch %d, which %s holds too: %w", f.Name, f.First, m.Files[i-1].Name, errDamaged))
		}
		if err := fn(*f, fault); err != nil {
			return err
		}
		faults = append(faults, fault)
	}
	return errors.Join(faults...)
}

// verifyFile reads a file once, for its sum and for its records.
func verifyFile(ctx context.Context, folder string, f *File) error {
	file, err := os.Open(filepath.Join(folder, f.Name))
	if err != nil {
		return fmt.Errorf("reading an archive file: %w", err)
	}
	defer file.Close()
	if err := checkSum(stopping{ctx, file}, f); err != nil {
		return err
	}
	frames, err := readIndex(file, f)
	if err != nil {
		return err
	}
	at, records := int64(0), int64(0)
	for i, one := range frames {
		got, err := linesOf(io.NewSectionReader(file, at, int64(one.bytes)))
		if err != nil || got != int64(one.records) {
			return fmt.Errorf("%s: frame %d has %d records (%v), its index says %d: %w", f.Name, i+1, got, err, one.records, errDamaged)
		}
		at, records = at+int64(one.bytes), records+got
	}
	if records != int64(f.Records) {
		return fmt.Errorf("%s has %d records, the manifest says %d: %w", f.Name, records, f.Records, errDamaged)
	}
	return nil
}

// linesOf counts the lines of packed frames.
func linesOf(in io.Reader) (n int64, err error) {
	dec, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		return 0, err
	}
	defer dec.Close()
	text := bufio.NewReaderSize(dec, 256<<10)
	for {
		piece, err := text.Peek(max(text.Buffered(), 1))
		n += int64(bytes.Count(piece, []byte{'\n'}))
		_, _ = text.Discard(len(piece)) // they are there
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}
