package build

import (
	"archive/tar"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kurama/paas"
)

// TestIntakeBombs takes in what is made to harm whoever unpacks it: each is
// refused with a sentence, within its bounds, and nothing of it stays.
func TestIntakeBombs(t *testing.T) {
	f := func(name string, data []byte, want string) {
		t.Run(name, func(t *testing.T) {
			b := intakeBuilder(t)
			_, err := b.take(t, data, paas.UploadZip)
			if bad, ok := errors.AsType[*paas.Invalid](err); !ok || !strings.HasPrefix(bad.Reason, want) {
				t.Errorf("got %v", err)
			}
			outside, err := os.ReadDir(b.opts.Data) // releases and layers
			if left := stored(t, b.releases()); err != nil || left != "" || len(outside) != 2 {
				t.Errorf("left behind:\n%s, and %v in the folder above (%v)", left, outside, err)
			}
		})
	}
	f("quoted overlap: each file's data are the next one's header and data", quoted(t, 40), "The archive holds entries that overlap")
	f("full overlap: all entries have the same data", sameData(t, 40), "The archive holds entries that overlap")
	f("zip64 sizes beyond what is there", zip64(t, 1<<62, 1<<62), "The archive is damaged at `app.py`: unexpected EOF")
	f("zip64 sizes that add up to less than nothing", zip64(t, 1<<63+20, 1<<63+20), "The archive claims an impossible size for `app.py`")
	f("a directory that lies beyond the end", beyondEnd(zipOf(t, file{name: "app.py"})), "The archive is damaged at `app.py`: negative offset")
	f("more entries in the trailer than there are", moreEntries(zipOf(t, file{name: "app.py"})), "The zip archive cannot be read")
	f("a method that nobody has", method(zipOf(t, file{name: "app.py", text: "x"})), "The archive is damaged at `app.py`: zip: unsupported compression algorithm")
	f("a name that only looks like UTF-8", zipOf(t, file{name: "\xc0\xae\xc0\xae/canary"}), "The archive holds a name that is not text")
	f("a name in another encoding", zipOf(t, file{name: "caf\xe9.py"}), "The archive holds a name that is not text")
	f("a name that turns right to left", zipOf(t, file{name: "app.py"}, file{name: "txt.\u202eyp.exe"}), "The archive holds a name with a control character")
	f("a NUL in a name", zipOf(t, file{name: "app.py\x00.png"}), "The archive holds a name that is not text")
	f("two names that look the same", zipOf(t, file{name: "caf\u00e9.py"}, file{name: "cafe\u0301.py"}), "The archive holds two names that differ only in how their accents are written")
	f("names that differ in case beyond ASCII", zipOf(t, file{name: "\u00c4.py"}, file{name: "\u00e4.py"}), "The archive holds two names that differ only in case")
	f("a folder and a file that differ in case", zipOf(t, file{name: "Static/x"}, file{name: "static"}), "The archive holds two names that differ only in case")
	f("a folder that is a link", zipOf(t, file{name: "app.py"}, file{name: "x", text: "/etc", mode: fs.ModeSymlink | 0o777}, file{name: "x/passwd"}), "The archive holds a symbolic link")
	f("a link with a slash behind its name", zipOf(t, file{name: "app.py"}, file{name: "x/", mode: fs.ModeSymlink | 0o777}), "The archive holds a symbolic link")
	f("a socket", zipOf(t, file{name: "s", mode: fs.ModeSocket | 0o666}), "The archive holds a socket")
	f("a named pipe", zipOf(t, file{name: "p", mode: fs.ModeNamedPipe | 0o666}), "The archive holds a named pipe")
	f("a link that a later entry goes through in a tar.gz", tarOf(t, file{name: "x", kind: tar.TypeSymlink}, file{name: "x/passwd"}), "The archive holds a symbolic link")
	f("a long name by PAX that leaves", paxName(t, "../"+strings.Repeat("a/", 60)+"canary"), "The archive holds a path that leaves its folder")
	f("a size by PAX that is negative", paxSize(t, "-1"), "The archive is damaged")
	f("a sparse file that is all hole", sparse(t, "1099511627776"), "The archive")
	f("gzip within gzip without end", nested(t, 3), "The archive is damaged")
	f("a stream of many gzip members", members(t, 6<<20), "The archive unpacks to more than 20 times its size")
	f("a polyglot that begins as something else", append([]byte("GIF89a"), zipOf(t, file{name: "app.py"})...), "`my app.zip` is neither a zip nor a tar.gz")
}

// TestLocalName has an entry that bears another name before its data than in
// the directory: the directory's alone is looked at, so there is no second truth.
func TestLocalName(t *testing.T) {
	b := intakeBuilder(t)
	data := zipOf(t, file{name: "app.py", text: "x"})
	copy(data[30:], "../..y")
	if _, err := b.take(t, data, paas.UploadZip); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, b.SourceFolder("default", "web", 1)); got != "-rw-r--r-- app.py\ndrwxr-xr-x instance" {
		t.Errorf("got\n%s", got)
	}
}

// TestNestedArchives has archives in an archive: they are files, and stay packed.
func TestNestedArchives(t *testing.T) {
	bomb := zipOf(t, file{name: "zeros", text: strings.Repeat("\x00", 64<<20)})
	b := intakeBuilder(t)
	if _, err := b.take(t, zipOf(t, file{name: "app.py", text: "x"}, file{name: "inner.zip", text: string(bomb)}), paas.UploadZip); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(b.SourceFolder("default", "web", 1), "inner.zip"))
	if err != nil || info.Size() != int64(len(bomb)) {
		t.Errorf("%v %v", info, err)
	}
}

// TestTinyFiles bounds what very many entries cost: the bound is looked at
// before anything is written.
func TestTinyFiles(t *testing.T) {
	var files []file
	for i := range 100_000 {
		files = append(files, file{name: fmt.Sprintf("d%d/f%d", i%100, i)})
	}
	for kind, data := range map[string][]byte{"zip": zipOf(t, files...), "tar.gz": tarOf(t, files...)} {
		b := intakeBuilder(t)
		if _, err := b.take(t, data, paas.UploadZip); err == nil || !strings.Contains(err.Error(), "more than 50 files") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
