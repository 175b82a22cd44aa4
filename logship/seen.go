package logship

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"kurama/logship/record"
	"kurama/logship/spool"
	"kurama/logship/stream"
)

const (
	// ackLag is the longest time that an accepted line waits for its acknowledgement, with a good margin.
	ackLag = time.Minute
	// restartSpan is how long after its start the agent expects resends of lines that its predecessor took.
	restartSpan = 10 * time.Minute
	// seenIdle is how long ids are kept in memory after they were last asked for.
	seenIdle = time.Minute
	// maxSeen bounds the ids in memory, at about 50 bytes each; with more, the older half is forgotten. What can be sent
	// again is in the newest few thousand: the rest was acknowledged.
	maxSeen = 1 << 20
)

// tail is the end of the stream as the agent reads it back.
type tail interface {
	Scan(ctx context.Context, host string, since time.Time, fn func(stream.Batch) error) error
	LastAt(ctx context.Context, host string) (time.Time, error)
}

// seen knows which records of this host are on the stream or in the spool. It
// reads them back only when somebody sends lines again, so that the usual way
// of a record costs nothing.
type seen struct {
	tail  tail
	host  string
	spool *spool.Spool
	began time.Time // start of the agent

	mu    sync.Mutex
	prior *time.Time // when the predecessor's last batch was taken; nil: not looked up yet
	ids   map[record.ID]struct{}
	older map[record.ID]struct{} // the half before ids
	from  time.Time              // ids cover the stream from here
	to    time.Time              // to here
	used  time.Time
}

// lookUp finds out when the predecessor's last batch was taken. It must
// succeed before this agent publishes.
func (s *seen) lookUp(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lookUpLocked(ctx)
}

func (s *seen) lookUpLocked(ctx context.Context) error {
	if s.prior != nil {
		return nil
	}
	at, err := s.tail.LastAt(ctx, s.host)
	if err != nil {
		return err
	}
	if at.IsZero() || at.After(s.began) {
		at = s.began
	}
	s.prior = &at
	return nil
}

// floor returns the earliest time at which a line that is sent again at now
// can have reached the stream, whatever its own id claims.
func (s *seen) floor(now time.Time) time.Time {
	if now.Sub(s.began) < restartSpan {
		return s.prior.Add(-ackLag)
	}
	return now.Add(-2 * ackLag)
}

// load reads back what may hold records since the time since. Afterwards has
// answers; an error means that it knows the spool alone.
func (s *seen) load(ctx context.Context, since time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.used = now
	fresh := s.ids == nil
	if fresh {
		s.ids = map[record.ID]struct{}{}
	}
	// The spool first: what leaves it meanwhile is on the stream by the time that is read.
	if err := s.loadSpool(); err != nil {
		return err
	}
	if err := s.lookUpLocked(ctx); err != nil {
		return err
	}
	if floor := s.floor(now); since.Before(floor) {
		since = floor
	}
	start := s.to
	if fresh || s.to.IsZero() || since.Before(s.from) {
		s.from, start = since, since
	}
	var scratch []byte
	return s.tail.Scan(ctx, s.host, start, func(b stream.Batch) error {
		s.to = b.At
		return s.addAll(b.Lines(&scratch))
	})
}

func (s *seen) loadSpool() error {
	for _, e := range s.spool.Entries() {
		data, err := s.spool.Data(e)
		if errors.Is(err, fs.ErrNotExist) {
			continue // drained
		}
		if err != nil {
			return err
		}
		if err := s.addAll(data); err != nil {
			return err
		}
	}
	return nil
}

func (s *seen) addAll(data []byte) error {
	err := record.Each(data, func(r *record.Record) error {
		if len(s.ids) >= maxSeen/2 {
			s.older, s.ids = s.ids, map[record.ID]struct{}{}
		}
		s.ids[r.ID] = struct{}{}
		return nil
	})
	var bad *record.LineError
	if errors.As(err, &bad) {
		return nil // a line that is no record has no id
	}
	return err
}

// has reports whether the record is known to be safe already.
func (s *seen) has(id record.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = time.Now()
	_, ok := s.ids[id]
	if !ok {
		_, ok = s.older[id]
	}
	return ok
}

// expire gives the memory back when nobody asks any more.
func (s *seen) expire(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids != nil && now.Sub(s.used) > seenIdle {
		s.ids, s.older, s.from, s.to = nil, nil, time.Time{}, time.Time{}
	}
}

// missing returns those records of a spooled batch that are not on the stream.
func (s *seen) missing(ctx context.Context, e spool.Entry, data []byte) (rest []byte, records int, err error) {
	if err := s.lookUp(ctx); err != nil {
		return nil, 0, err
	}
	wanted := map[record.ID]bool{}
	since := e.At
	_ = record.Each(data, func(r *record.Record) error {
		wanted[r.ID] = true
		if at := idTime(r.ID); at.Before(since) {
			since = at
		}
		return nil
	})
	if floor := s.floor(e.At); since.Before(floor) {
		since = floor
	}
	var scratch []byte
	err = s.tail.Scan(ctx, s.host, since.Add(-time.Second), func(b stream.Batch) error {
		_ = record.Each(b.Lines(&scratch), func(r *record.Record) error {
			delete(wanted, r.ID)
			return nil
		})
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("checking spooled batch %s: %w", e.ID, err)
	}
	return keepLines(data, wanted)
}

// keepLines returns the lines of data whose ids are wanted.
func keepLines(data []byte, wanted map[record.ID]bool) (rest []byte, records int, err error) {
	var r record.Record
	for line := range bytes.Lines(data) {
		if err := record.Decode(line, &r); err != nil {
			return nil, 0, fmt.Errorf("reading a spooled record: %w", err)
		}
		if wanted[r.ID] {
			rest = append(rest, line...)
			records++
		}
	}
	return rest, records, nil
}

// idTime returns the time in a UUIDv7.
func idTime(id record.ID) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:8]) >> 16))
}
