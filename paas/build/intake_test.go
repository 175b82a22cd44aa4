package build

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kurama/internal/config"
	"kurama/paas"
)

// file is an entry of a test archive.
type file struct {
	name string
	text string
	mode fs.FileMode // 0: 0o644
	kind byte        // of a tar entry; 0: regular
}

func zipOf(t testing.TB, files ...file) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate}
		if f.mode == 0 {
			f.mode = 0o644
		}
		h.SetMode(f.mode)
		e, err := w.CreateHeader(h)
		if err == nil {
			_, err = io.WriteString(e, f.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func tarOf(t testing.TB, files ...file) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: int64(f.mode | 0o600), Size: int64(len(f.text)), Typeflag: f.kind, Linkname: "/etc/passwd"}
		if f.kind == 0 {
			h.Typeflag, h.Linkname = tar.TypeReg, ""
		}
		err := w.WriteHeader(h)
		if err == nil {
			_, err = io.WriteString(w, f.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// intake is a Builder without an engine on a folder of its own.
func intakeBuilder(t testing.TB) *Builder {
	t.Helper()
	cfg := config.Default().Build
	cfg.Entries, cfg.SourceMax, cfg.Ratio = 50, 8*config.MiB, 20
	b, err := New(cfg, Options{Data: t.TempDir(), Threads: 4, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *Builder) take(t testing.TB, data []byte, kind paas.UploadType) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "upload")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return b.Intake(t.Context(), "default", "web", 1, paas.Upload{Path: path, Type: kind, Name: "my app.zip"})
}

// stored lists what a release's folder holds, with modes.
func stored(t testing.TB, dir string) string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, name)
		found = append(found, fmt.Sprintf("%s %s", info.Mode(), filepath.ToSlash(rel)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(found, "\n")
}

func TestIntakeStores(t *testing.T) {
	f := func(name string, data []byte, kind paas.UploadType, want ...string) {
		t.Run(name, func(t *testing.T) {
			b := intakeBuilder(t)
			digest, err := b.take(t, data, kind)
			if err != nil || len(digest) != 64 {
				t.Fatalf("got %q, %v", digest, err)
			}
			if got := stored(t, b.SourceFolder("default", "web", 1)); got != strings.Join(want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
			}
		})
	}
	const folder, plainFile, script = "drwxr-xr-x ", "-rw-r--r-- ", "-rwxr-xr-x "
	f("a zip, with plain modes whatever it says", zipOf(t, file{name: "app.py", mode: 0o600}, file{name: "run.sh", mode: 0o4777}, file{name: "a/b.txt", mode: 0o002}), paas.UploadZip,
		folder+"a", plainFile+"a/b.txt", plainFile+"app.py", folder+"instance", script+"run.sh")
	f("a tar.gz that calls itself a zip", tarOf(t, file{name: "./app.py"}, file{name: "templates/", kind: tar.TypeDir}, file{name: "templates/x.html"}), paas.UploadZip,
		plainFile+"app.py", folder+"instance", folder+"templates", plainFile+"templates/x.html")
	f("one Python file", []byte("x = 1\n"), paas.UploadPy, plainFile+"app.py", folder+"instance")
	f("a folder's content without the folder", zipOf(t, file{name: "my app/app.py"}, file{name: "my app/static/x.css"}, file{name: "__MACOSX/my app/._app.py"}), paas.UploadZip,
		plainFile+"app.py", folder+"instance", folder+"static", plainFile+"static/x.css")
	f("a package with its folder", zipOf(t, file{name: "shop/__init__.py"}, file{name: "shop/db.py"}), paas.UploadZip,
		folder+"instance", folder+"shop", plainFile+"shop/__init__.py", plainFile+"shop/db.py")
	f("no virtual environment, whatever it is called, and its links do no harm", tarOf(t, file{name: "app.py"}, file{name: "env3/pyvenv.cfg"},
		file{name: "env3/bin/python", kind: tar.TypeSymlink}, file{name: "venv/bin/python", kind: tar.TypeSymlink}, file{name: ".git/config"},
		file{name: "node_modules/x/y.js"}, file{name: "a/__pycache__/a.pyc"}, file{name: "instance/data.db"}), paas.UploadTarGz,
		plainFile+"app.py", folder+"instance", plainFile+"instance/data.db")
}

func TestIntakeDigest(t *testing.T) {
	digest := func(data []byte) string {
		d, err := intakeBuilder(t).take(t, data, paas.UploadZip)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	one := digest(zipOf(t, file{name: "app.py", text: "1"}, file{name: "b.py"}))
	if same := digest(tarOf(t, file{name: "top/b.py"}, file{name: "top/app.py", text: "1"})); same != one {
		t.Error("the same files differ")
	}
	if other := digest(zipOf(t, file{name: "app.py", text: "2"}, file{name: "b.py"})); other == one {
		t.Error("other files are the same")
	}
}

func TestIntakeRefuses(t *testing.T) {
	f := func(name string, data []byte, kind paas.UploadType, want string) {
		t.Run(name, func(t *testing.T) {
			b := intakeBuilder(t)
			canary := filepath.Join(b.opts.Data, "canary")
			_, err := b.take(t, data, kind)
			if bad, ok := errors.AsType[*paas.Invalid](err); !ok || !strings.HasPrefix(bad.Reason, want) {
				t.Errorf("got %v", err)
			}
			if left := stored(t, b.releases()); left != "" {
				t.Errorf("left behind:\n%s", left)
			}
			if _, err := os.Stat(canary); !os.IsNotExist(err) {
				t.Error("a file outside was written")
			}
		})
	}
	both := func(name, entry, want string) {
		f(name+" in a zip", zipOf(t, file{name: "app.py"}, file{name: entry}), paas.UploadZip, want)
		f(name+" in a tar.gz", tarOf(t, file{name: "app.py"}, file{name: entry}), paas.UploadTarGz, want)
	}
	const leaves = "The archive holds a path that leaves its folder: `"
	both("a path upwards", "../../canary", leaves+"../../canary`. Nothing was stored.")
	both("a path upwards in the middle", "a/../../canary", leaves)
	both("an absolute path", "/canary", leaves)
	both("a drive letter", "C:/canary", leaves)
	both("a backslash", `..\canary`, "The archive holds a path with a backslash")
	both("a control character", "a\nb", "The archive holds a name with a control character")
	both("a path that is too deep", strings.Repeat("a/", 40)+"b", "The archive holds a path that is too long or too deep")
	both("a name that is too long", strings.Repeat("a", 300), "The archive holds a path that is too long or too deep")
	both("names that differ in case", "APP.py", "The archive holds two names that differ only in case: `app.py` and `APP.py`.")
	both("the same name twice", "app.py", "The archive holds `app.py` twice.")
	both("a file that is also a folder", "app.py/x", "The archive holds `app.py` both as a file and as a folder.")

	f("a symbolic link in a zip", zipOf(t, file{name: "app.py"}, file{name: "link", text: "/etc/passwd", mode: fs.ModeSymlink | 0o777}), paas.UploadZip, "The archive holds a symbolic link: `link`.")
	f("a device in a zip", zipOf(t, file{name: "null", mode: fs.ModeDevice | fs.ModeCharDevice | 0o666}), paas.UploadZip, "The archive holds a device")
	for kind, what := range map[byte]string{tar.TypeSymlink: "a symbolic link", tar.TypeLink: "a hard link", tar.TypeChar: "a device", tar.TypeBlock: "a device", tar.TypeFifo: "a named pipe"} {
		f(what+" in a tar.gz "+string(kind), tarOf(t, file{name: "app.py"}, file{name: "x", kind: kind}), paas.UploadTarGz, "The archive holds "+what+": `x`.")
	}
	var many []file
	for i := range 60 {
		many = append(many, file{name: fmt.Sprintf("f%d", i)})
	}
	f("too many entries", zipOf(t, many...), paas.UploadZip, "The archive holds more than 50 files and folders.")
	f("a bomb by ratio", zipOf(t, file{name: "zeros", text: strings.Repeat("\x00", 6<<20)}), paas.UploadZip, "The archive unpacks to more than 20 times its size")
	f("a bomb by ratio in a tar.gz", tarOf(t, file{name: "zeros", text: strings.Repeat("\x00", 6<<20)}), paas.UploadTarGz, "The archive unpacks to more than 20 times its size")
	f("an app that is too large", zipOf(t, file{name: "data", text: noise(9 << 20)}), paas.UploadZip, "The archive unpacks to more than 8MiB")
	f("an encrypted archive", encrypted(zipOf(t, file{name: "app.py", text: "x"})), paas.UploadZip, "The archive is encrypted (`app.py`).")
	f("entries that overlap", overlapping(t), paas.UploadZip, "The archive holds entries that overlap")
	f("a lie about the size", lying(zipOf(t, file{name: "app.py", text: strings.Repeat("x", 1000)})), paas.UploadZip, "The archive is damaged at `app.py`")
	whole := zipOf(t, file{name: "app.py", text: noise(1000)})
	f("half a zip", whole[:len(whole)/2], paas.UploadZip, "The zip archive cannot be read")
	whole = tarOf(t, file{name: "app.py", text: noise(5000)})
	f("half a tar.gz", whole[:len(whole)/2], paas.UploadTarGz, "The archive is damaged at `app.py`")
	f("an archive of another kind", []byte("Rar!\x1a\x07\x00 and more"), paas.UploadZip, "`my app.zip` is neither a zip nor a tar.gz.")
	f("nothing", nil, paas.UploadZip, "The upload is empty.")
	f("an empty archive", zipOf(t), paas.UploadZip, "The archive holds no file.")
	f("an archive of ignored things", zipOf(t, file{name: "venv/x"}), paas.UploadZip, "The archive holds no file.")
	f("a script that is no text", []byte("\x00\x01"), paas.UploadPy, "`my app.zip` is not text")
	f("an empty script", []byte(" \n"), paas.UploadPy, "`my app.zip` is empty.")
}

// noise returns text that does not pack, the same each time.
func noise(n int) string {
	text, x := make([]byte, n), uint64(88172645463325252)
	for i := range text {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		text[i] = byte(x)
	}
	return string(text)
}

// central returns where the first entry of a zip's directory begins.
func central(data []byte) int { return bytes.Index(data, []byte("PK\x01\x02")) }

func encrypted(data []byte) []byte {
	data[central(data)+8] |= encryptedFlag
	data[6] |= encryptedFlag
	return data
}

func lying(data []byte) []byte {
	binary.LittleEndian.PutUint32(data[central(data)+24:], 10) // uncompressed size
	return data
}

// overlapping makes the second entry begin inside the first, as bombs do.
func overlapping(t testing.TB) []byte {
	inner := zipOf(t, file{name: "b", text: strings.Repeat("b", 100)})
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	e, err := w.CreateHeader(&zip.FileHeader{Name: "a", Method: zip.Store})
	if err == nil {
		_, err = e.Write(inner[:central(inner)])
	}
	if err == nil {
		_, err = w.Create("b")
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	data := out.Bytes()
	second := central(data) + 1 + central(data[central(data)+1:])
	binary.LittleEndian.PutUint32(data[second+42:], uint32(bytes.Index(data, inner[:4])+bytes.Index(data[4:], inner[:4])+4)) // offset of the local header
	binary.LittleEndian.PutUint32(data[second+20:], 5)
	return data
}

func FuzzIntake(f *testing.F) {
	f.Add(zipOf(f, file{name: "app.py", text: "x"}, file{name: "a/b"}))
	f.Add(tarOf(f, file{name: "app.py", text: "x"}, file{name: "l", kind: tar.TypeSymlink}))
	f.Add(overlapping(f))
	f.Add([]byte("PK\x05\x06"))
	f.Add(quoted(f, 5))
	f.Add(zip64(f, 1<<62, 1<<62))
	f.Add(sparse(f, "1099511627776"))
	f.Add(paxName(f, "../canary"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b := intakeBuilder(t)
		_, err := b.take(t, data, paas.UploadZip)
		entries, readErr := os.ReadDir(b.opts.Data)
		if readErr != nil || len(entries) != 2 { // releases and layers
			t.Fatalf("outside: %v %v", entries, readErr)
		}
		if err == nil {
			return
		}
		if _, ok := errors.AsType[*paas.Invalid](err); !ok {
			t.Errorf("not a sentence for the sender: %v", err)
		}
		if left := stored(t, b.releases()); left != "" {
			t.Errorf("left behind:\n%s", left)
		}
	})
}

func TestReuse(t *testing.T) {
	b := intakeBuilder(t)
	if _, err := b.take(t, zipOf(t, file{name: "app.py", text: "1"}, file{name: "a/b"}), paas.UploadZip); err != nil {
		t.Fatal(err)
	}
	for n := 2; n <= 13; n++ {
		if err := b.Reuse("default", "web", n-1, n); err != nil {
			t.Fatal(err)
		}
	}
	if one, two := stored(t, b.SourceFolder("default", "web", 1)), stored(t, b.SourceFolder("default", "web", 2)); one != two || one == "" {
		t.Errorf("%s\nis not\n%s", two, one)
	}
	if err := b.KeepSources("default", "web", 1, 2); err != nil {
		t.Fatal(err)
	}
	if err := b.Reuse("default", "web", 3, 14); err == nil || err.Error() != "The source of release 3 is no longer kept: only the last 10 are. Upload it again." {
		t.Errorf("got %v", err)
	}
	for n, what := range map[int]string{1: "live release", 2: "canary"} {
		if _, err := os.Stat(b.SourceFolder("default", "web", n)); err != nil {
			t.Errorf("the source of the %s: %v", what, err)
		}
	}
}
