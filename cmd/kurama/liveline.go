package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// liveLines are lines on a terminal that are written over and over; elsewhere
// they write nothing.
type liveLines struct {
	out   io.Writer
	width int
	last  time.Time
	shown int // lines on the screen
}

func newLiveLine(out io.Writer, quiet bool) *liveLines {
	file, ok := out.(*os.File)
	if quiet || !ok || !term.IsTerminal(int(file.Fd())) {
		return &liveLines{}
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		width = 80
	}
	return &liveLines{out: out, width: width}
}

// show writes the lines in the place of those before.
func (l *liveLines) show(lines ...string) {
	if l.out == nil || time.Since(l.last) < 100*time.Millisecond {
		return
	}
	l.last = time.Now()
	b := strings.Builder{}
	b.WriteString(l.erased())
	for i, text := range lines {
		if runes := []rune(text); len(runes) >= l.width {
			text = string(runes[:max(l.width-1, 0)])
		}
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(text)
	}
	l.shown = len(lines)
	_, _ = io.WriteString(l.out, b.String())
}

// erased is what takes the lines that are shown off the screen.
func (l *liveLines) erased() string {
	text := "\r\x1b[K"
	if l.shown > 1 {
		text = fmt.Sprintf("\r\x1b[%dA\x1b[J", l.shown-1)
	}
	return text
}

func (l *liveLines) clear() {
	if l.out != nil {
		_, _ = io.WriteString(l.out, l.erased())
		l.shown = 0
	}
}
