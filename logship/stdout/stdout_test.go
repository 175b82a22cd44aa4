package stdout

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kurama/logship/record"
)

var start = time.Date(2026, 11, 20, 10, 0, 0, 123, time.UTC)

// frame writes one frame of the engine's API.
func frame(stream byte, at time.Time, text string) []byte {
	payload := at.Format("2006-01-02T15:04:05.000000000Z07:00") + " " + text
	head := []byte{stream, 0, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(head[4:], uint32(len(payload)))
	return append(head, payload...)
}

func TestFramesBecomeLines(t *testing.T) {
	var in bytes.Buffer
	in.Write(frame(1, start, "one\n"))
	in.Write(frame(1, start.Add(1), "a long li"))
	in.Write(frame(2, start.Add(2), "between\r\n"))
	in.Write(frame(1, start.Add(1), "ne in parts\n"))
	in.Write(frame(1, start.Add(3), "0123456789012345678901\n"))
	in.Write(frame(1, start.Add(4), "never finished"))
	in.Write([]byte{1, 0, 0})
	var got []string
	err := Read(&in, 20, func(l Line) error {
		got = append(got, fmt.Sprintf("%d %v %s %d", l.At.Sub(start), l.Stderr, l.Text, l.Cut))
		return nil
	})
	want := "0 false one 0|2 true between 0|1 false a long line in parts 0|3 false 01234567890123456789 2"
	if err != nil || strings.Join(got, "|") != want {
		t.Errorf("the lines are %s, %v", strings.Join(got, "|"), err)
	}
	if err := Read(strings.NewReader("plain text of a terminal"), 20, nil); err == nil {
		t.Error("output that is not multiplexed was taken")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(append(frame(1, start, "part"), frame(1, start, "end\n")...))
	f.Add(frame(2, start, "\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		_ = Read(bytes.NewReader(in), 10, func(l Line) error {
			if len(l.Text) > 10 || strings.Contains(l.Text, "\n") && l.Cut < 0 {
				t.Fatalf("the line is %+v", l)
			}
			return nil
		})
	})
}

func TestLevelsAreReadFromPrefixes(t *testing.T) {
	f := func(line string, want record.Level) {
		t.Helper()
		if got := Level(line); got != want {
			t.Errorf("%q is %v, not %v", line, got, want)
		}
	}
	f("ERROR: no", record.LevelError)
	f("WARNING:root:careful", record.LevelWarning)
	f("ERROR something", record.LevelError)
	f("[2026-11-20 10:00:00 +0000] [7] [INFO] Booting worker", record.LevelInfo)
	f("[2026-11-20 10:00:00 +0000] [7] [CRITICAL] WORKER TIMEOUT", record.LevelCritical)
	f("2026-11-20 10:00:00,123 - app - DEBUG - x", record.LevelDebug)
	f("2026-11-20 10:00:00.1 | WARNING  | app:f:1 - x", record.LevelWarning)
	f(`time=2026 level=warn msg=x`, record.LevelWarning)
	f(`{"level":"error","msg":"x"}`, record.LevelError)
	f("hello", record.LevelNone)
	f("an ERROR in a sentence", record.LevelNone)
	f("he said: ERROR: no", record.LevelNone)
	f("Information is INFORMATION", record.LevelNone)
	f("", record.LevelNone)
}

// join joins lines that come a millisecond apart; a number in front is an
// extra pause in milliseconds.
func join(lines ...string) (got []Entry) {
	j := NewJoiner(20*time.Millisecond, func(e Entry) { got = append(got, e) })
	at := start
	for _, text := range lines {
		at = at.Add(time.Millisecond)
		if text == "PAUSE" {
			at = at.Add(time.Second)
			continue
		}
		j.Add(Line{At: at, Text: text})
	}
	j.Flush()
	return got
}

func TestLinesOfATracebackAreOneEntry(t *testing.T) {
	f := func(lines []string, want ...string) {
		t.Helper()
		var got []string
		for _, e := range join(lines...) {
			got = append(got, fmt.Sprintf("%s|%s|%s", e.Level, e.Msg, strings.ReplaceAll(e.Exc, "\n", "/")))
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("the entries are\n%s\ninstead of\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	const head = "Traceback (most recent call last):"
	f([]string{"a", "", "b"}, "INFO|a|", "INFO|b|")
	f([]string{"a", head, `  File "x"`, "ValueError: x", "b"},
		"INFO|a|", `ERROR|ValueError: x|`+head+`/  File "x"/ValueError: x`, "INFO|b|")
	f([]string{"ERROR:root:broke", head, "  f", "ValueError: x", "", "During handling of the above exception, another exception occurred:", "", head, "  g", "KeyError", "end"},
		"ERROR|ERROR:root:broke|"+head+"/  f/ValueError: x//During handling of the above exception, another exception occurred://"+head+"/  g/KeyError", "INFO|end|")
	f([]string{head, "  f", "PAUSE", "ValueError: late"}, "ERROR|"+head+"|"+head+"/  f", "INFO|ValueError: late|")
	f([]string{"  + Exception Group " + head, "  | x", "done"}, "ERROR|done|  + Exception Group "+head+"/  | x/done")
}

func TestALongTracebackIsCut(t *testing.T) {
	lines := []string{"Traceback (most recent call last):"}
	for range 3000 {
		lines = append(lines, "  "+strings.Repeat("x", 98))
	}
	got := join(append(lines, "ValueError")...)
	if len(got) != 1 || len(got[0].Exc) > maxTraceback || got[0].Cut == 0 {
		t.Errorf("%d entries, the first with %d bytes", len(got), len(got[0].Exc))
	}
}

func TestTheCheckpointSurvives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stdout.json")
	c, err := OpenCheckpoint(path)
	if err != nil {
		t.Fatal(err)
	}
	c.Advance("a", start)
	c.Advance("a", start.Add(-time.Hour)) // never back
	c.Advance("b", start)
	c.Advance("c", start)
	c.Forget("b")
	c.Keep(func(id string) bool { return id == "a" })
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	again, err := OpenCheckpoint(path)
	if at, ok := again.At("a"); err != nil || !ok || !at.Equal(start) {
		t.Errorf("a is at %v, %v", at, err)
	}
	if _, ok := again.At("b"); ok {
		t.Error("b was forgotten and is there")
	}
	if err := os.WriteFile(path, []byte(`{"version":9}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCheckpoint(path); err == nil {
		t.Error("another version was taken")
	}
}
