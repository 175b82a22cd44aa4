package backup_test

import (
	"archive/tar"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"kurama/internal/backup"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, dir, name, text string, mode fs.FileMode) {
	t.Helper()
	path := filepath.Join(dir, name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(text), 0o600))
	must(t, os.Chmod(path, mode))
}

func TestRoundTrip(t *testing.T) {
	data, dump := t.TempDir(), filepath.Join(t.TempDir(), "dump")
	must(t, os.WriteFile(dump, []byte("the database"), 0o600))
	write(t, data, "admin.token", "secret", 0o600)
	write(t, data, "releases/default/shop/1/app.py", "app", 0o444)
	write(t, data, "releases/default/shop/1/app.pyc", "compiled", 0o644)
	write(t, data, "volumes/x.img", strings.Repeat("\x00", 3<<20)+"end", 0o600)
	write(t, data, "run/left.sock", "no", 0o644)
	must(t, os.Symlink("/usr/bin/python3", filepath.Join(data, "python")))
	past := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	must(t, os.Chtimes(filepath.Join(data, "releases/default/shop/1/app.py"), past, past))
	must(t, os.Chmod(filepath.Join(data, "releases/default/shop/1"), 0o555))
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(data, "releases/default/shop/1"), 0o755) })

	var file bytes.Buffer
	stats, err := backup.Write(&file, backup.Source{Manifest: backup.Manifest{Version: backup.Version, Instance: "abcd1234"}, Data: data, Dump: dump, Leave: []string{"run"}, Again: "releases"})
	must(t, err)
	if stats.Files != 5 || file.Len() > 8<<10 {
		t.Errorf("%+v in %d bytes", stats, file.Len())
	}
	back, dumped := t.TempDir(), filepath.Join(t.TempDir(), "dump")
	m, again, err := backup.Read(bytes.NewReader(file.Bytes()), back, dumped)
	must(t, err)
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(back, "releases/default/shop/1"), 0o755) })
	if m.Instance != "abcd1234" || again != stats {
		t.Errorf("got %+v, %+v, want %+v", m, again, stats)
	}
	for name, want := range map[string]struct {
		text string
		mode fs.FileMode
	}{"admin.token": {"secret", 0o600}, "releases/default/shop/1/app.py": {"app", 0o444}, "volumes/x.img": {strings.Repeat("\x00", 3<<20) + "end", 0o600}} {
		text, err := os.ReadFile(filepath.Join(back, name))
		info, statErr := os.Stat(filepath.Join(back, name))
		if err != nil || statErr != nil || string(text) != want.text || info.Mode().Perm() != want.mode {
			t.Errorf("%s: %d bytes, %v, %v", name, len(text), info, err)
		}
	}
	if info, err := os.Stat(filepath.Join(back, "releases/default/shop/1/app.py")); err != nil || !info.ModTime().Equal(past) {
		t.Errorf("time %v, %v", info.ModTime(), err)
	}
	if info, err := os.Stat(filepath.Join(back, "releases/default/shop/1")); err != nil || info.Mode().Perm() != 0o555 {
		t.Errorf("folder %v, %v", info, err)
	}
	if to, err := os.Readlink(filepath.Join(back, "python")); err != nil || to != "/usr/bin/python3" {
		t.Errorf("link to %q, %v", to, err)
	}
	if _, err := os.Stat(filepath.Join(back, "run")); !os.IsNotExist(err) {
		t.Errorf("what was to be left out is there: %v", err)
	}
	if text, err := os.ReadFile(dumped); err != nil || string(text) != "the database" {
		t.Errorf("dump %q, %v", text, err)
	}
	t.Run("a file that was cut off is an error", func(t *testing.T) {
		for _, n := range []int{0, 10, file.Len() / 2, file.Len() - 5} {
			if _, _, err := backup.Read(bytes.NewReader(file.Bytes()[:n]), t.TempDir(), dumped); err == nil {
				t.Errorf("%d of %d bytes were taken for a backup", n, file.Len())
			}
		}
	})
}

// pack makes a file with one entry that Write would not make.
func pack(t *testing.T, entries ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out)
	must(t, err)
	w := tar.NewWriter(z)
	manifest := `{"version":1}`
	must(t, w.WriteHeader(&tar.Header{Name: "kurama-backup.json", Mode: 0o600, Size: int64(len(manifest))}))
	_, err = w.Write([]byte(manifest))
	must(t, err)
	for _, h := range entries {
		must(t, w.WriteHeader(&h))
	}
	must(t, w.Close())
	must(t, z.Close())
	return out.Bytes()
}

func TestNothingIsWrittenOutside(t *testing.T) {
	outside := t.TempDir()
	for name, entries := range map[string][]tar.Header{
		"upwards":          {{Name: "data/../../evil", Typeflag: tar.TypeReg, Mode: 0o644}},
		"from the root":    {{Name: outside + "/evil", Typeflag: tar.TypeReg, Mode: 0o644}},
		"through a link":   {{Name: "data/link", Typeflag: tar.TypeSymlink, Linkname: outside}, {Name: "data/link/evil", Typeflag: tar.TypeReg, Mode: 0o644}},
		"a device":         {{Name: "data/null", Typeflag: tar.TypeChar, Mode: 0o666, Devmajor: 1, Devminor: 3}},
		"a hard link":      {{Name: "data/passwd", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"}},
		"without database": {{Name: "data/x", Typeflag: tar.TypeReg, Mode: 0o644}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := backup.Read(bytes.NewReader(pack(t, entries...)), t.TempDir(), filepath.Join(t.TempDir(), "dump")); err == nil {
				t.Error("it was unpacked")
			}
			if left, _ := os.ReadDir(outside); len(left) > 0 {
				t.Errorf("%v was written outside", left)
			}
		})
	}
}
