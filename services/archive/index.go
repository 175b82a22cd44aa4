package archive

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// A sealed file is a row of independent zstd frames, followed by an index of
// them in a frame that zstd readers skip (RFC 8878, section 3.1.2): magic,
// length, then one entry of entryBytes for each frame, little endian, and
// indexMagic at the end. With it a range of time, or a range of bytes of a
// download, opens without reading the rest.
const (
	skippableMagic = 0x184D2A5B
	indexMagic     = 0x3158494B // KIX1
	indexHead      = 8
	indexTail      = 4
	entryBytes     = 44
)

// frame is one entry of an index.
type frame struct {
	bytes   uint32 // of the frame
	plain   uint32 // of its text; 0: not known (a file from before there were indexes)
	records uint32
	from    int64  // earliest time of its records, µs since the epoch
	to      int64  // latest
	first   uint64 // batch of its first record
	last    uint64 // batch of its last record
}

// appendIndex appends the index of frames.
func appendIndex(to []byte, frames []frame) []byte {
	to = binary.LittleEndian.AppendUint32(to, skippableMagic)
	to = binary.LittleEndian.AppendUint32(to, uint32(len(frames)*entryBytes+indexTail))
	for _, f := range frames {
		to = binary.LittleEndian.AppendUint32(to, f.bytes)
		to = binary.LittleEndian.AppendUint32(to, f.plain)
		to = binary.LittleEndian.AppendUint32(to, f.records)
		to = binary.LittleEndian.AppendUint64(to, uint64(f.from))
		to = binary.LittleEndian.AppendUint64(to, uint64(f.to))
		to = binary.LittleEndian.AppendUint64(to, f.first)
		to = binary.LittleEndian.AppendUint64(to, f.last)
	}
	return binary.LittleEndian.AppendUint32(to, indexMagic)
}

// parseIndex reads an index whose frames take up data bytes.
func parseIndex(b []byte, data int64) ([]frame, error) {
	n := len(b) - indexHead - indexTail
	if n < 0 || n%entryBytes != 0 || binary.LittleEndian.Uint32(b) != skippableMagic ||
		int(binary.LittleEndian.Uint32(b[4:])) != n+indexTail || binary.LittleEndian.Uint32(b[len(b)-indexTail:]) != indexMagic {
		return nil, fmt.Errorf("%d bytes are no index: %w", len(b), errDamaged)
	}
	frames := make([]frame, 0, n/entryBytes)
	for e := b[indexHead : len(b)-indexTail]; len(e) > 0; e = e[entryBytes:] {
		f := frame{bytes: binary.LittleEndian.Uint32(e), plain: binary.LittleEndian.Uint32(e[4:]), records: binary.LittleEndian.Uint32(e[8:]),
			from: int64(binary.LittleEndian.Uint64(e[12:])), to: int64(binary.LittleEndian.Uint64(e[20:])), first: binary.LittleEndian.Uint64(e[28:]), last: binary.LittleEndian.Uint64(e[36:])}
		data -= int64(f.bytes)
		frames = append(frames, f)
	}
	if data != 0 {
		return nil, fmt.Errorf("the index is %d bytes off the frames: %w", data, errDamaged)
	}
	return frames, nil
}

// readIndex returns the frames of a sealed file. One without an index counts
// as a single frame.
func readIndex(file io.ReaderAt, f *File) ([]frame, error) {
	if f.Index == 0 {
		return []frame{{bytes: uint32(f.Bytes), records: uint32(f.Records), from: f.From.UnixMicro(), to: f.To.UnixMicro(), first: f.First, last: f.Last}}, nil
	}
	if f.Index > f.Bytes || f.Index < 0 {
		return nil, fmt.Errorf("%s: an index of %d bytes in a file of %d: %w", f.Name, f.Index, f.Bytes, errDamaged)
	}
	b := make([]byte, f.Index)
	if _, err := file.ReadAt(b, f.Bytes-f.Index); err != nil {
		return nil, fmt.Errorf("reading the index of %s: %w", f.Name, err)
	}
	frames, err := parseIndex(b, f.Bytes-f.Index)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	return frames, nil
}

// cover takes in a record of batch seq, made at at.
func (f *frame) cover(seq uint64, at time.Time) {
	micros := at.UnixMicro()
	if f.records == 0 {
		f.from, f.to, f.first = micros, micros, seq
	}
	f.from, f.to, f.last = min(f.from, micros), max(f.to, micros), seq
	f.records++
}
