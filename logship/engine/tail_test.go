package engine

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// driver writes files as the json-file driver does.
type driver struct {
	t    *testing.T
	path string
	file *os.File
	n    int
}

func newDriver(t *testing.T) *driver {
	t.Helper()
	d := &driver{t: t, path: filepath.Join(t.TempDir(), "c-json.log")}
	d.open()
	return d
}

func (d *driver) open() {
	d.t.Helper()
	var err error
	if d.file, err = os.OpenFile(d.path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// clock is the time of the n-th line.
func clock(n int) time.Time {
	return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(n) * time.Microsecond)
}

// lines writes the next n lines.
func (d *driver) lines(n int) {
	d.t.Helper()
	for range n {
		d.write(fmt.Sprintf("line %d \"quoted\"\n", d.n), "stdout", clock(d.n))
		d.n++
	}
}

func (d *driver) write(text, stream string, at time.Time) {
	d.t.Helper()
	line, err := json.Marshal(kept{Log: text, Stream: stream, Time: at})
	if err == nil {
		_, err = d.file.Write(append(line, '\n'))
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// maxFile is how many files there are.
const maxFile = 3

// rotate begins a new file; the oldest goes.
func (d *driver) rotate() {
	d.t.Helper()
	err := d.file.Close()
	for n := maxFile - 1; n > 0 && err == nil; n-- {
		older := d.path
		if n > 1 {
			older = fmt.Sprintf("%s.%d", d.path, n-1)
		}
		if err = os.Rename(older, fmt.Sprintf("%s.%d", d.path, n)); errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.open()
}

// next reads one frame.
func next(t *testing.T, in io.Reader) (stderr bool, payload string, err error) {
	t.Helper()
	var head [8]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return false, "", err
	}
	body := make([]byte, binary.BigEndian.Uint32(head[4:]))
	_, err = io.ReadFull(in, body)
	return head[0] == 2, string(body), err
}

// want reads the lines from up to but without to.
func want(t *testing.T, in io.Reader, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		_, payload, err := next(t, in)
		if text := fmt.Sprintf("%s line %d \"quoted\"\n", clock(n).Format(time.RFC3339Nano), n); err != nil || payload != text {
			t.Fatalf("line %d came as %q, %v", n, payload, err)
		}
	}
}

func openTest(t *testing.T, d *driver, since time.Time, follow bool) *tail {
	t.Helper()
	o, err := openTail(d.path, since, follow)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close() })
	return o
}

// looked waits until the tail holds the newest file.
func (d *driver) looked(o *tail) {
	d.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		info, err := os.Stat(d.path)
		if err != nil {
			d.t.Fatal(err)
		}
		o.mu.Lock()
		same := os.SameFile(info, o.newest)
		o.mu.Unlock()
		if same {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatal("the new file is not seen")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestEveryLineComesOnceAcrossRotations(t *testing.T) {
	d := newDriver(t)
	d.lines(100)
	o := openTest(t, d, time.Time{}, true)
	want(t, o, 0, 100)
	for range 5 { // the reader stands still: removed files are held
		d.lines(100)
		d.rotate()
		d.looked(o)
	}
	d.lines(50)
	want(t, o, 100, 650)
	d.rotate()
	d.lines(50)
	want(t, o, 650, 700)
	d.lines(10)
	o.Finish()
	want(t, o, 700, 710)
	if _, _, err := next(t, o); !errors.Is(err, io.EOF) {
		t.Errorf("at the end the error is %v", err)
	}
}

func TestWhatIsWrittenFasterThanItIsReadIsCounted(t *testing.T) {
	d := newDriver(t)
	d.lines(100)
	o := openTest(t, d, time.Time{}, true)
	want(t, o, 0, 1)
	for range maxHeld + 3 {
		d.lines(99)
		d.write("a part", "stdout", clock(d.n)) // its line ends in the next file, and is counted there
		d.rotate()
		d.looked(o)
		d.write(" and its end\n", "stdout", clock(d.n))
	}
	o.Finish()
	want(t, o, 1, 199)
	read := 0
	for ; ; read++ {
		if _, _, err := next(t, o); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	// Of the files between the first and the last eight, 99 lines each and one that ends there.
	if counted, guessed := o.Lost(); counted != 4*100 || guessed != 0 || read == 0 {
		t.Errorf("%d lines were counted and %d guessed behind %d that were read", counted, guessed, read)
	}
}

func TestWhatTheEngineRemovedUnseenIsGuessed(t *testing.T) {
	d := newDriver(t)
	for range 5 { // while no agent was there; it had read 40 lines
		d.lines(100)
		d.rotate()
	}
	d.lines(10)
	o := openTest(t, d, clock(40), true)
	want(t, o, 300, 510)
	if counted, guessed := o.Lost(); counted != 0 || guessed < 255 || guessed > 265 {
		t.Errorf("%d lines were counted and %d guessed, 260 are gone", counted, guessed)
	}
	if counted, guessed := o.Lost(); counted+guessed != 0 {
		t.Error("they are told again")
	}
	o = openTest(t, d, clock(299), true)
	want(t, o, 300, 510)
	if counted, guessed := o.Lost(); counted+guessed != 0 {
		t.Errorf("%d lines were counted and %d guessed, none is gone", counted, guessed)
	}
}

func TestTheOutputOfAContainerThatIsGoneIsReadToItsEnd(t *testing.T) {
	d := newDriver(t)
	d.lines(1000)
	o := openTest(t, d, time.Time{}, true)
	want(t, o, 0, 1)
	if err := os.RemoveAll(filepath.Dir(d.path)); err != nil {
		t.Fatal(err)
	}
	o.Finish()
	want(t, o, 1, 1000)
}

func TestReadingAgainBeginsAtATime(t *testing.T) {
	d := newDriver(t)
	d.lines(100)
	d.rotate()
	d.lines(100)
	want(t, openTest(t, d, clock(70), false), 70, 200)
	d.write("early\n", "stdout", clock(3)) // the clock was set back
	o := openTest(t, d, clock(150), false)
	want(t, o, 150, 200)
	if _, payload, err := next(t, o); err != nil || !strings.HasSuffix(payload, " early\n") {
		t.Errorf("behind the clock's step came %q, %v", payload, err)
	}
	if _, _, err := next(t, o); !errors.Is(err, io.EOF) {
		t.Errorf("at the end the error is %v", err)
	}
}

func TestTheFilesOfAContainerThatHasNoneAreAnError(t *testing.T) {
	if _, err := openTail(filepath.Join(t.TempDir(), "none"), time.Time{}, true); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the error is %v", err)
	}
}

func TestWhatACrashOfTheHostLeftIsKeptAsALine(t *testing.T) {
	d := newDriver(t)
	d.lines(1)
	if _, err := d.file.WriteString(`{"log":"half` + "\xff" + "\n"); err != nil {
		t.Fatal(err)
	}
	d.n = 1
	d.lines(1)
	d.write("err\n", "stderr", clock(2))
	o := openTest(t, d, time.Time{}, false)
	want(t, o, 0, 1)
	if _, payload, err := next(t, o); err != nil || !strings.HasSuffix(payload, ` {"log":"half`+"\ufffd\n") {
		t.Errorf("the half line came as %q, %v", payload, err)
	}
	want(t, o, 1, 2)
	if stderr, payload, err := next(t, o); err != nil || !stderr || !strings.HasSuffix(payload, " err\n") {
		t.Errorf("the line of stderr came as %q, %v", payload, err)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add("plain\n", true)
	f.Add("a \"quote\" \\n \\\n", false)
	f.Add("part", false)
	f.Add("\\", false)
	f.Add("\\n", true)
	f.Fuzz(func(t *testing.T, text string, stderr bool) {
		if !utf8.ValidString(text) {
			return // the engine has mended it already
		}
		k := kept{Log: text, Stream: "stdout", Time: clock(1)}
		if stderr {
			k.Stream = "stderr"
		}
		line, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		out := new(frames).append(nil, line)
		gotErr, payload, err := next(t, strings.NewReader(string(out)))
		if err != nil || gotErr != stderr || payload != clock(1).Format(time.RFC3339Nano)+" "+text {
			t.Errorf("%q came as %q, %v", text, payload, err)
		}
	})
}

func FuzzFramesOfAnything(f *testing.F) {
	f.Add([]byte(`{"log":"a","stream":"stdout","time":"2026-01-02T03:04:05Z"}`))
	f.Add([]byte(`{"log":"a\n","stream":"stderr","attrs":{"a":"b"},"time":"2026-01-02T03:04:05.000000001Z"}`))
	f.Add([]byte(`{"log":"\n","stream":"stdout","time":""}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		x := frames{last: "2026-01-02T03:04:05Z"}
		out := x.append(nil, line)
		if len(out) == 0 {
			return
		}
		if _, _, err := next(t, strings.NewReader(string(out))); err != nil {
			t.Errorf("%q became %q: %v", line, out, err)
		}
	})
}
