// Package spool keeps batches on disk while the stream is away: one file a
// batch, fsynced before it counts, read in the order in which they came.
package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// suffix ends the name of a whole batch; anything else is left over from a crash.
const suffix = ".ndjson"

// Entry is one batch that waits.
type Entry struct {
	ID      string // of the batch on the stream; letters, digits and -
	Records int
	Check   bool // some of its records may be on the stream already
	Bytes   int64
	At      time.Time // when it was spooled

	number uint64
}

// name holds all of an entry: <number>_<id>_<records>_<check>.ndjson.
func (e Entry) name() string {
	check := "new"
	if e.Check {
		check = "check"
	}
	return fmt.Sprintf("%020d_%s_%d_%s%s", e.number, e.ID, e.Records, check, suffix)
}

// Spool is the folder. It is safe for concurrent use.
type Spool struct {
	dir string
	max int64

	mu      sync.Mutex
	entries []Entry // oldest first
	bytes   int64
	next    uint64
}

// ErrFull says that a batch does not fit below the bound.
var ErrFull = errors.New("the spool is full")

// Open reads the folder dir, which it makes where missing. The spool holds at
// most limit bytes.
func Open(dir string, limit int64) (*Spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the spool: %w", err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the spool: %w", err)
	}
	s := &Spool{dir: dir, max: limit}
	for _, f := range files {
		e, err := entryOf(f)
		if err != nil {
			if strings.HasSuffix(f.Name(), ".tmp") && strings.HasPrefix(f.Name(), "batch-") {
				_ = os.Remove(filepath.Join(dir, f.Name())) // never counted
			}
			continue
		}
		s.entries = append(s.entries, e)
		s.bytes += e.Bytes
		s.next = max(s.next, e.number+1)
	}
	slices.SortFunc(s.entries, func(a, b Entry) int { return strings.Compare(a.name(), b.name()) })
	return s, nil
}

func entryOf(f fs.DirEntry) (Entry, error) {
	base, ok := strings.CutSuffix(f.Name(), suffix)
	part := strings.Split(base, "_")
	if !ok || len(part) != 4 {
		return Entry{}, fmt.Errorf("%s is not a batch", f.Name())
	}
	number, err := strconv.ParseUint(part[0], 10, 64)
	records, err2 := strconv.Atoi(part[2])
	info, err3 := f.Info()
	if err := errors.Join(err, err2, err3); err != nil {
		return Entry{}, fmt.Errorf("%s is not a batch: %w", f.Name(), err)
	}
	return Entry{number: number, ID: part[1], Records: records, Check: part[3] == "check", Bytes: info.Size(),
		At: info.ModTime()}, nil
}

// Add stores a batch behind all others and returns once it is durable. The
// error is ErrFull where it does not fit, or the disk's.
func (s *Spool) Add(e Entry, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Bytes, e.number, e.At = int64(len(data)), s.next, time.Now()
	if s.bytes+e.Bytes > s.max {
		return fmt.Errorf("%w: %d of %d bytes are used", ErrFull, s.bytes, s.max)
	}
	if err := s.write(e, data); err != nil {
		return fmt.Errorf("spooling batch %s: %w", e.ID, err)
	}
	s.next++
	s.entries = append(s.entries, e)
	s.bytes += e.Bytes
	return nil
}

func (s *Spool) write(e Entry, data []byte) error {
	tmp, err := os.CreateTemp(s.dir, "batch-*.tmp")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(s.dir, e.name()))
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return s.sync()
}

// sync makes the folder's names durable.
func (s *Spool) sync() error {
	dir, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// First returns the oldest batch; ok is false on an empty spool.
func (s *Spool) First() (e Entry, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.entries) == 0 {
		return Entry{}, false
	}
	return s.entries[0], true
}

// Data reads the records of e.
func (s *Spool) Data(e Entry) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(s.dir, e.name()))
	if err != nil {
		return nil, fmt.Errorf("reading spooled batch %s: %w", e.ID, err)
	}
	return data, nil
}

// Done removes the oldest batch, which must be e. After a crash it may be
// there again: its id tells the stream that it has it.
func (s *Spool) Done(e Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.entries) == 0 || s.entries[0].number != e.number {
		return fmt.Errorf("batch %s is not the oldest of the spool", e.ID)
	}
	err := os.Remove(filepath.Join(s.dir, e.name()))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing spooled batch %s: %w", e.ID, err)
	}
	s.entries = s.entries[1:]
	s.bytes -= e.Bytes
	return nil
}

// Entries returns what waits, oldest first.
func (s *Spool) Entries() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.entries)
}

// Size returns the number of batches and of bytes that wait.
func (s *Spool) Size() (batches int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.entries), s.bytes
}
