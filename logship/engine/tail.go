package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	// readChunk is how much of a file is read at once.
	readChunk = 64 << 10
	// longest bounds one line of a file: the engine cuts at 16 KiB, and an escape takes up to six bytes.
	longest = 256 << 10
)

// tail reads the output of a container from the files of the json-file driver
// itself, across their rotation. The log API follows one file and opens the
// next by its name: when a container writes faster than the API is read, it
// repeats lines and skips others. An open file is read to its end even when the
// engine has removed it with the container.
type tail struct {
	path   string
	follow bool
	frames frames
	in     []byte // read, up to a whole line
	out    []byte // frames not handed out yet
	rest   []byte // of out

	mu       sync.Mutex
	held     []*heldFile // files not read to their end, oldest first
	newest   os.FileInfo // of the last that was opened
	size     int64       // of the file at path, at the last look
	finished bool
	counted  int // lines passed over since the last Lost
	guessed  int // lines that were gone before they could be, likewise

	wake   chan struct{} // one token when there may be more
	closed chan struct{}
	ending sync.Once
	looks  sync.WaitGroup
}

// openTail opens the files at path (and path.1 and so on, which are older). The error is
// the system's where there is none or it may not be read.
func openTail(path string, since time.Time, follow bool) (*tail, error) {
	t := &tail{path: path, follow: follow, frames: frames{since: since}, wake: make(chan struct{}, 1), closed: make(chan struct{})}
	err := t.hold()
	if err == nil && t.newest == nil {
		err = os.ErrNotExist
	}
	if err != nil {
		t.release()
		return nil, fmt.Errorf("reading a container's output: %w", err)
	}
	if follow {
		t.looks.Go(t.keepLooking)
	}
	return t, nil
}

func (t *tail) notify() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// Finish implements Output.
func (t *tail) Finish() {
	_, _ = t.look() // the last rotation
	t.mu.Lock()
	t.finished = true
	t.mu.Unlock()
	t.notify()
}

// Faithful implements Output.
func (t *tail) Faithful() bool { return true }

// Read hands out frames. It waits for more until Finish, Close, or, without
// follow, the end of the files.
func (t *tail) Read(p []byte) (int, error) {
	for len(t.rest) == 0 {
		select {
		case <-t.closed:
			return 0, os.ErrClosed
		default:
		}
		t.out = t.out[:0]
		more, err := t.fill()
		if err != nil {
			return 0, err
		}
		t.rest = t.out
		if more || len(t.rest) > 0 {
			continue
		}
		select {
		case <-t.wake:
		case <-t.closed:
			return 0, os.ErrClosed
		}
	}
	n := copy(p, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}

// fill reads a piece of the oldest file. more is false where all is read that
// there is now; the error is io.EOF where nothing can come.
func (t *tail) fill() (more bool, err error) {
	file, complete, last := t.oldest()
	if file == nil {
		if last {
			return false, io.EOF
		}
		return false, nil
	}
	if file.gap {
		file.gap = false
		if err := t.guess(file.File); err != nil {
			return false, err
		}
	}
	size := len(t.in)
	if cap(t.in)-size < readChunk {
		t.in = append(make([]byte, 0, 2*cap(t.in)+readChunk), t.in...)
	}
	n, err := file.Read(t.in[size : size+readChunk])
	t.in = t.in[:size+n]
	t.convert()
	switch {
	case n > 0:
		return true, nil
	case !errors.Is(err, io.EOF):
		return false, fmt.Errorf("reading a container's output: %w", err)
	case complete:
		t.drop()
		return true, nil
	}
	return false, nil
}

// oldest returns the file to read from. complete says that nothing is written
// to it any more; last that no other file can follow. Both must be known before
// the file is read to its end.
func (t *tail) oldest() (file *heldFile, complete, last bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	last = t.finished || !t.follow
	if len(t.held) == 0 {
		return nil, false, last
	}
	return t.held[0], last || len(t.held) > 1, last
}

// drop closes the file that was read to its end. A line that it ends within
// was never finished.
func (t *tail) drop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.held) == 0 {
		return // closed meanwhile
	}
	_ = t.held[0].Close() // it was only read
	t.held[0] = nil
	t.held = t.held[1:]
	t.out = t.frames.append(t.out, t.in)
	t.in = t.in[:0]
}

// convert turns the whole lines of in into frames.
func (t *tail) convert() {
	done := 0
	for {
		i := bytes.IndexByte(t.in[done:], '\n')
		if i < 0 {
			break
		}
		t.out = t.frames.append(t.out, t.in[done:done+i])
		done += i + 1
	}
	if done == 0 && len(t.in) > longest {
		done = len(t.in) // no line of the engine is that long
	}
	t.in = t.in[:copy(t.in, t.in[done:])]
}

// Close implements io.Closer.
func (t *tail) Close() error {
	t.ending.Do(func() {
		close(t.closed)
		t.looks.Wait()
		t.release()
	})
	return nil
}

func (t *tail) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.held {
		_ = f.Close() // it was only read
	}
	t.held = nil
}
