package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// slow is what takes long enough for a progress bar.
const slow = time.Second

// Colours, used on a terminal alone and never without a word or a sign.
const (
	green = "\x1b[32m"
	amber = "\x1b[33m"
	red   = "\x1b[31m"
	grey  = "\x1b[90m"
	plain = "\x1b[0m"
)

func (s *session) colour(code, text string) string {
	if !s.tty || os.Getenv("NO_COLOR") != "" {
		return text
	}
	return code + text + plain
}

func (s *session) green(text string) string { return s.colour(green, text) }

// table writes rows in columns below their titles.
func (s *session) table(titles string, rows [][]string) {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, strings.ReplaceAll(titles, " ", "\t"))
	for _, row := range rows {
		_, _ = fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush()
}

// ago is a time as a person would say it: relative up to a day.
func ago(t time.Time) string {
	switch d := time.Since(t); {
	case t.IsZero():
		return "never"
	case d < 10*time.Second:
		return "now"
	case d < time.Minute:
		return fmt.Sprintf("%.0f s ago", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%.0f min ago", d.Minutes())
	case d < 24*time.Hour:
		return fmt.Sprintf("%.0f h ago", d.Hours())
	}
	return t.Local().Format("2006-01-02 15:04")
}

// size is a number of bytes as a person would say it.
func size(bytes int64) string {
	switch {
	case bytes < 1<<10:
		return fmt.Sprintf("%d B", bytes)
	case bytes < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	case bytes < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// orDash shows what is empty or not known.
func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

// figure is a number that may not be known.
func figure(v *float64, unit string) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f%s", *v, unit)
}

// bar reads through r and shows how far that is, on a terminal and once it
// takes longer than a second. size -1 is not known.
type bar struct {
	io.Reader
	io.Writer
	s     *session
	what  string
	size  int64
	done  int64
	began time.Time
	shown *progressbar.ProgressBar
}

func (s *session) bar(what string, size int64) *bar {
	return &bar{s: s, what: what, size: size, began: time.Now()}
}

// Read reads on and moves the bar.
func (b *bar) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.move(n)
	return n, err
}

// Write writes on and moves the bar.
func (b *bar) Write(p []byte) (int, error) {
	n, err := b.Writer.Write(p)
	b.move(n)
	return n, err
}

func (b *bar) move(n int) {
	b.done += int64(n)
	if !b.s.tty || b.s.json || time.Since(b.began) < slow {
		return
	}
	if b.shown == nil {
		b.shown = progressbar.NewOptions64(b.size, progressbar.OptionSetWriter(b.s.err), progressbar.OptionSetDescription(b.what),
			progressbar.OptionShowBytes(true), progressbar.OptionUseIECUnits(true), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetWidth(30), progressbar.OptionThrottle(65*time.Millisecond))
	}
	_ = b.shown.Set64(b.done)
}

// end takes the bar away.
func (b *bar) end() {
	if b.shown != nil {
		_ = b.shown.Clear()
	}
}

// ask asks for one line on the terminal; hidden keeps it from being seen.
func (s *session) ask(question string, hidden bool) (string, error) {
	if s.asksOnTerminal() {
		_, _ = fmt.Fprint(s.err, question)
		if hidden {
			text, err := term.ReadPassword(int(os.Stdin.Fd()))
			_, _ = fmt.Fprintln(s.err)
			return string(text), err
		}
	}
	line, err := readLine(s.cmd.InOrStdin())
	if errors.Is(err, io.EOF) && line == "" {
		return "", fmt.Errorf("%s was not answered: there is no terminal to ask on", strings.TrimSpace(strings.TrimRight(question, ": ")))
	}
	return line, nil
}

// asksOnTerminal reports whether somebody sits at the other end of the input.
func (s *session) asksOnTerminal() bool {
	in, isFile := s.cmd.InOrStdin().(*os.File)
	return isFile && term.IsTerminal(int(in.Fd()))
}

// readLine reads one line and not a byte more, so that the next question finds
// its own answer.
func readLine(r io.Reader) (string, error) {
	if b, ok := r.(*bufio.Reader); ok {
		line, err := b.ReadString('\n')
		return strings.TrimRight(line, "\r\n"), err
	}
	var line []byte
	var one [1]byte
	for {
		n, err := r.Read(one[:])
		if n == 1 && one[0] == '\n' {
			return strings.TrimRight(string(line), "\r"), nil
		}
		line = append(line, one[:n]...)
		if err != nil {
			return string(line), err
		}
	}
}
