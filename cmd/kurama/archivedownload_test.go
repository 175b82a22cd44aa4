package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnArchiveDownloadThatBrokeOff(t *testing.T) {
	d := newDesk(t)
	d.must("deploy", d.app(map[string]string{"app.py": "app = 1"}), "--app", "hello")
	p, whole := d.fake, strings.Repeat("{}\n", 20)
	// breaks gives up a download and returns the name of its part.
	breaks := func(t *testing.T, words ...string) string {
		t.Helper()
		t.Chdir(t.TempDir())
		p.breaks, p.begun = downloadTries, nil
		d.fails("the same call goes on with it", words...)
		p.begun = nil
		parts, err := filepath.Glob("*.part")
		if err != nil || len(parts) != 1 {
			t.Fatalf("parts %v, error %v", parts, err)
		}
		return parts[0]
	}
	// ends checks that the folder holds the whole file and nothing else, and
	// where the writing began.
	ends := func(t *testing.T, file, begun string) {
		t.Helper()
		if text, err := os.ReadFile(file); err != nil || string(text) != whole {
			t.Errorf("got %q, error %v", text, err)
		}
		if left, err := os.ReadDir("."); err != nil || len(left) != 1 {
			t.Errorf("left %v, error %v", left, err)
		}
		if got := fmt.Sprint(p.begun); got != begun {
			t.Errorf("begun at %s, want %s", got, begun)
		}
	}
	words := []string{"archive", "download", "hello", "--from", "24h"}
	t.Run("is gone on with by the same call that names no file", func(t *testing.T) {
		part := breaks(t, words...)
		info, err := os.Stat(part)
		must(t, err)
		_, said, err := d.run(words...)
		must(t, err)
		if !strings.Contains(said, "going on with "+part) || !strings.Contains(said, "20 records") {
			t.Errorf("said %s", said)
		}
		ends(t, strings.TrimSuffix(part, ".part"), fmt.Sprintf("[%d]", info.Size()))
	})
	t.Run("is left alone by a call of other words", func(t *testing.T) {
		part := breaks(t, words...)
		before, err := os.ReadFile(part)
		must(t, err)
		d.must("archive", "download", "hello", "--from", "48h")
		d.must("archive", "download", "hello", "--from", "24h", "--format", "csv")
		if after, err := os.ReadFile(part); err != nil || string(after) != string(before) || fmt.Sprint(p.begun) != "[0 0]" {
			t.Errorf("got %q, want %q, error %v, begun at %v", after, before, err, p.begun)
		}
	})
	t.Run("is put into place where all of it is there", func(t *testing.T) {
		part := breaks(t, words...)
		must(t, os.WriteFile(part, []byte(whole), 0o600))
		d.must(words...)
		ends(t, strings.TrimSuffix(part, ".part"), "[]")
	})
	t.Run("is begun anew where the file is shorter than the part", func(t *testing.T) {
		part := breaks(t, append(words, "-o", "x.jsonl")...)
		must(t, os.WriteFile(part, []byte(whole+"more"), 0o600))
		d.must(append(words, "-o", "x.jsonl")...)
		ends(t, "x.jsonl", "[0]")
	})
}
