package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// piece is a run of neighbouring frames of one file.
type piece struct {
	file    *opened
	at      int64 // offset in the file
	bytes   int64 // of the frames
	plain   int64 // of their text; 0: not known
	records int64
	whole   bool // all its records are within the range
}

// snapshot says which state of an app's archive a download shows: all that was
// sealed up to batch last of a stream, from its first file on. It is what an
// entity tag holds, so that a download can be gone on with although records
// came in meanwhile.
type snapshot struct {
	epoch, firstEpoch int
	last, first       uint64
	frames            string // which frames hold it; empty for formats that show no frames
}

const tagForm = "k1.%d.%d.%d.%d"

func (s snapshot) tag() string {
	tag := fmt.Sprintf(tagForm, s.epoch, s.last, s.firstEpoch, s.first)
	if s.frames != "" {
		tag += "." + s.frames
	}
	return `"` + tag + `"`
}

// parseTag reads an entity tag; false where it is none of ours.
func parseTag(tag string) (s snapshot, ok bool) {
	n, err := fmt.Sscanf(strings.Trim(tag, `"`), tagForm, &s.epoch, &s.last, &s.firstEpoch, &s.first)
	if fields := strings.Split(strings.Trim(tag, `"`), "."); len(fields) == 6 {
		s.frames = fields[5]
	}
	return s, err == nil && n == 4 && s.tag() == tag
}

// snapshotOf returns the state that a manifest is in.
func snapshotOf(m *Manifest) snapshot {
	s := snapshot{epoch: m.Epoch, last: m.LastSeq}
	if len(m.Files) > 0 {
		s.firstEpoch, s.first = m.Files[0].Epoch, m.Files[0].First
	}
	return s
}

// errChanged says that the archive cannot show a former state any more.
var errChanged = errors.New("the archive has changed since")

// plan chooses the pieces of files that may hold records of the span, up to the
// state upto, and tells by a hash which frames they are. Errors: errChanged
// where no frame ends there.
func plan(files []opened, s span, upto snapshot) (pieces []piece, hash string, err error) {
	var chosen []frame
	for i := range files {
		f := &files[i]
		if f.Epoch > upto.epoch || f.Epoch == upto.epoch && f.First > upto.last {
			continue
		}
		frames, err := readIndex(f.file, &f.File)
		if err != nil {
			return nil, "", err
		}
		at := int64(0)
		for _, one := range frames {
			if f.Epoch == upto.epoch && one.last > upto.last {
				if one.first <= upto.last {
					return nil, "", errChanged
				}
				break
			}
			if s.meets(one) {
				pieces, chosen = appendPiece(pieces, f, at, one, s.covers(one)), append(chosen, one)
			}
			at += int64(one.bytes)
		}
	}
	return pieces, hashOf(chosen), nil
}

// hashOf returns a hash of what the index says of frames, short enough for a
// header: half of a SHA-256, in hexadecimal.
func hashOf(frames []frame) string {
	sum := sha256.Sum256(appendIndex(nil, frames))
	return hex.EncodeToString(sum[:len(sum)/2])
}

// appendPiece adds a frame, to the last piece where it goes on with it.
func appendPiece(pieces []piece, f *opened, at int64, one frame, whole bool) []piece {
	next := piece{file: f, at: at, bytes: int64(one.bytes), plain: int64(one.plain), records: int64(one.records), whole: whole}
	if n := len(pieces); n > 0 {
		p := &pieces[n-1]
		if p.file == f && p.at+p.bytes == at && p.whole == whole && (p.plain > 0) == (next.plain > 0) {
			p.bytes, p.plain, p.records = p.bytes+next.bytes, p.plain+next.plain, p.records+next.records
			return pieces
		}
	}
	return append(pieces, next)
}

// meets reports whether a frame may hold records of the span.
func (s *span) meets(f frame) bool {
	return (s.from.IsZero() || f.to >= ceil(s.from).UnixMicro()) && (s.to.IsZero() || f.from < ceil(s.to).UnixMicro())
}

// covers reports whether all records of a frame are within the span.
func (s *span) covers(f frame) bool {
	return (s.from.IsZero() || f.from >= ceil(s.from).UnixMicro()) && (s.to.IsZero() || f.to < ceil(s.to).UnixMicro())
}
