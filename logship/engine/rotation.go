package engine

import (
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"time"
)

const (
	// lookEvery is how often the files are looked at. A line waits for half of it on average, and a container would have to
	// write what the engine keeps but one file, 16 MiB, in that time for one to be missed.
	lookEvery = 20 * time.Millisecond
	// maxHeld bounds the files of one container that are open because they are not read yet. Those that the engine has
	// deleted keep their 4 MiB on the disk until then. With more the oldest that nobody reads yet is counted and let go.
	maxHeld = 20
)

// heldFile is a file that is open until it is read.
type heldFile struct {
	*os.File
	gap bool // others may have come before it and gone unseen
}

// look opens the file at path where it is another than the newest one held,
// and before it those that were in between. grown says that there is more to
// read than at the last look.
func (t *tail) look() (grown bool, err error) {
	info, err := os.Stat(t.path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil // it is being rotated, or the container is gone
	}
	if err != nil {
		return false, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	grown = info.Size() != t.size
	t.size = info.Size()
	if t.newest != nil && os.SameFile(info, t.newest) {
		return grown, nil
	}
	for len(t.held) >= maxHeld {
		if err := t.pass(); err != nil {
			return grown, err
		}
	}
	return true, t.hold()
}

// hold opens the files that are newer than the newest one held. It goes from
// the newest back: one that is renamed meanwhile is met again, never missed.
// Called with mu held.
func (t *tail) hold() error {
	var fresh []*heldFile // the newest first
	var newest, last os.FileInfo
	joined := false // the newest one held was met
	for n := 0; !joined; n++ {
		f, err := os.Open(t.name(n))
		if errors.Is(err, os.ErrNotExist) && (n > 0 || t.newest != nil) {
			break
		} else if errors.Is(err, os.ErrNotExist) {
			continue // it is being rotated
		}
		var info os.FileInfo
		if err == nil {
			fresh = append(fresh, &heldFile{File: f})
			info, err = f.Stat()
		}
		if err != nil {
			return errors.Join(err, closed(fresh))
		}
		if joined = t.newest != nil && os.SameFile(info, t.newest); joined || last != nil && os.SameFile(info, last) {
			fresh = fresh[:len(fresh)-1]
			_ = f.Close() // it was only read
			continue
		}
		if last = info; newest == nil {
			newest = info
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	// What the reader knows ends before the oldest of several: others may have been in between.
	fresh[len(fresh)-1].gap = !joined && len(fresh) > 1 && (t.newest != nil || !t.frames.since.IsZero())
	slices.Reverse(fresh)
	t.held, t.newest = append(t.held, fresh...), newest
	return nil
}

// name returns the path of the n-th file, of which 0 is the newest.
func (t *tail) name(n int) string {
	if n == 0 {
		return t.path
	}
	return t.path + "." + strconv.Itoa(n)
}

// closed closes files that were only read.
func closed(files []*heldFile) error {
	for _, f := range files {
		_ = f.Close()
	}
	return nil
}

// pass counts the lines of the second oldest file, which is written to no more
// and not read yet, and lets it go. Called with mu held.
func (t *tail) pass() error {
	file := t.held[1]
	s, err := surveyed(file)
	if err != nil {
		return err
	}
	t.counted += s.lines
	if file.gap {
		t.guessed += s.lines // whatever was before it held about as many
	}
	t.held = append(t.held[:1], t.held[2:]...)
	_ = file.Close() // it was only read
	return nil
}

func (t *tail) keepLooking() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-t.closed:
			return
		case <-tick.C:
		}
		// A file that cannot be opened now may be at the next look.
		if grown, _ := t.look(); grown {
			t.notify()
		}
	}
}

// guess finds out whether others were before a file that nobody saw, and adds
// what they may have held to the lost lines.
func (t *tail) guess(file *os.File) error {
	s, err := surveyed(io.NewSectionReader(file, 0, 1<<62))
	if err != nil {
		return err
	}
	read := t.frames.since // up to here all was read before the agent began
	if at, err := time.Parse(time.RFC3339Nano, t.frames.last); err == nil {
		read = at
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.guessed += s.missing(read)
	return nil
}

// Lost implements Output.
func (t *tail) Lost() (counted, guessed int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	counted, guessed = t.counted, t.guessed
	t.counted, t.guessed = 0, 0
	return counted, guessed
}
