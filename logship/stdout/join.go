package stdout

import (
	"strings"
	"time"

	"kurama/logship/record"
)

// Entry is one entry of the output: a line, or a line with its traceback.
type Entry struct {
	At     time.Time // of its first line
	Last   time.Time // of its last line
	Stderr bool
	Level  record.Level
	Msg    string
	Exc    string // traceback; lines separated by '\n'
	Cut    int    // bytes that were left out of Msg and Exc
	Nth    int    // of its first line
}

// maxTraceback bounds the bytes of one traceback; more is left out and counted.
const maxTraceback = 64 << 10

const tracebackHead = "Traceback (most recent call last):"

// chainHeads link two tracebacks to one story.
var chainHeads = []string{
	"During handling of the above exception, another exception occurred:",
	"The above exception was the direct cause of the following exception:",
}

// Joiner puts the lines of one stream of output together. Lines belong to one
// entry where each follows the one before within the joining time, by the
// engine's clock, so that a second reading joins as the first did.
type Joiner struct {
	within time.Duration
	emit   func(Entry)

	open  bool
	entry Entry
	exc   strings.Builder
	stage stage
}

// stage says where in an entry the last line was.
type stage int

const (
	plain  stage = iota // a line; a traceback may follow
	frames              // within a traceback
	ended               // behind the exception of a traceback; another may be chained to it
	linked              // behind a line that links two tracebacks
)

// NewJoiner returns a joiner that hands finished entries to emit.
func NewJoiner(within time.Duration, emit func(Entry)) *Joiner {
	return &Joiner{within: within, emit: emit}
}

// Add takes the next line.
func (j *Joiner) Add(l Line) {
	if j.open && l.At.Sub(j.entry.Last) > j.within {
		j.Flush()
	}
	if j.open && j.continues(l) {
		return
	}
	j.Flush()
	if strings.TrimSpace(l.Text) == "" {
		return // a blank line says nothing
	}
	j.open, j.stage = true, plain
	j.entry = Entry{At: l.At, Last: l.At, Stderr: l.Stderr, Msg: l.Text, Cut: l.Cut, Nth: l.Nth, Level: Level(l.Text)}
	j.exc.Reset()
	if isHead(l.Text) {
		j.entry.Msg, j.entry.Level, j.stage = "", record.LevelError, frames
		j.write(l.Text)
	}
}

// Pending returns the time of the first line that is not handed on yet.
func (j *Joiner) Pending() (first time.Time, ok bool) { return j.entry.At, j.open }

// Flush hands the entry at hand to emit.
func (j *Joiner) Flush() {
	if !j.open {
		return
	}
	j.open = false
	e := j.entry
	if e.Exc = strings.TrimRight(j.exc.String(), "\n"); e.Msg == "" {
		e.Msg = lastLine(e.Exc)
	}
	if e.Level == record.LevelNone {
		e.Level = record.LevelInfo
	}
	j.emit(e)
}

// continues takes l into the entry at hand where it belongs there.
func (j *Joiner) continues(l Line) bool {
	text := l.Text
	indented := strings.HasPrefix(text, " ") || strings.HasPrefix(text, "\t")
	switch {
	case j.stage == plain:
		if !isHead(text) || j.entry.Level < record.LevelError {
			return false
		}
		j.stage = frames
	case isChain(text) && j.stage != linked:
		j.stage = linked
	case j.stage == linked:
		if isHead(text) {
			j.stage = frames
		} else if strings.TrimSpace(text) != "" {
			return false
		}
	case j.stage == frames:
		if !indented && strings.TrimSpace(text) != "" {
			j.stage = ended // the line that names the exception
		}
	case j.stage == ended:
		if !indented && strings.TrimSpace(text) != "" {
			return false
		}
	}
	j.entry.Last = l.At
	j.entry.Cut += l.Cut
	j.write(text)
	return true
}

func (j *Joiner) write(text string) {
	if room := maxTraceback - j.exc.Len(); len(text)+1 > room {
		j.entry.Cut += len(text)
		return
	}
	j.exc.WriteString(text)
	j.exc.WriteByte('\n')
}

func isHead(text string) bool {
	return strings.HasPrefix(strings.TrimLeft(text, " +"), tracebackHead) || strings.HasSuffix(text, "Exception Group "+tracebackHead)
}

func isChain(text string) bool {
	for _, head := range chainHeads {
		if text == head {
			return true
		}
	}
	return false
}

// lastLine returns the last line that is not indented: the exception.
func lastLine(exc string) string {
	lines := strings.Split(exc, "\n")
	for i := len(lines) - 1; i > 0; i-- {
		if l := lines[i]; l != "" && l[0] != ' ' && l[0] != '\t' {
			return l
		}
	}
	return lines[0]
}
