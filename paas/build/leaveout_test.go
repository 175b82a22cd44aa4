package build

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kurama/internal/config"
	"kurama/paas"
)

func TestLeaveOut(t *testing.T) {
	// stored takes an archive in and returns the files of the release.
	stored := func(t *testing.T, b *Builder, kind paas.UploadType, archive []byte) ([]string, error) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "upload")
		if err := os.WriteFile(path, archive, 0o600); err != nil {
			t.Fatal(err)
		}
		number := 1
		for ; ; number++ {
			if _, err := os.Stat(b.SourceFolder("default", "app", number)); os.IsNotExist(err) {
				break
			}
		}
		if _, err := b.Intake(t.Context(), "default", "app", number, paas.Upload{Path: path, Type: kind}); err != nil {
			return nil, err
		}
		var names []string
		root := b.SourceFolder("default", "app", number)
		return names, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				rel, _ := filepath.Rel(root, path)
				names = append(names, rel)
			}
			return err
		})
	}
	want := func(t *testing.T, got []string, err error, names ...string) {
		t.Helper()
		if err != nil || !slices.Equal(got, names) {
			t.Errorf("got %q, %v", got, err)
		}
	}
	app := func(ignore string) []file {
		return []file{{name: "shop/app.py", text: "app = 1"}, {name: "shop/data/big.bin", text: strings.Repeat("x", 2<<20)},
			{name: "shop/notes.log", text: "l"}, {name: "shop/keep.log", text: "l"}, {name: "shop/.kuramaignore", text: ignore}}
	}
	const ignore = "# not for the platform\ndata/\n*.log\n!keep.log\n"

	t.Run("of a zip, whose top folder is taken away", func(t *testing.T) {
		names, err := stored(t, intakeBuilder(t), paas.UploadZip, zipOf(t, app(ignore)...))
		want(t, names, err, ".kuramaignore", "app.py", "keep.log")
	})
	t.Run("of a tar.gz, wherever in it the patterns are", func(t *testing.T) {
		files := app(ignore)
		names, err := stored(t, intakeBuilder(t), paas.UploadTarGz, tarOf(t, files...))
		want(t, names, err, ".kuramaignore", "app.py", "keep.log")
		slices.Reverse(files)
		names, err = stored(t, intakeBuilder(t), paas.UploadTarGz, tarOf(t, files...))
		want(t, names, err, ".kuramaignore", "app.py", "keep.log")
	})
	t.Run("what is left out does not count as the source's size", func(t *testing.T) {
		b := intakeBuilder(t)
		b.cfg.SourceMax = 1 * config.MiB
		if _, err := stored(t, b, paas.UploadZip, zipOf(t, app("")...)); err == nil || !strings.Contains(err.Error(), "unpacks to more than 1MiB") {
			t.Errorf("with all of it: %v", err)
		}
		names, err := stored(t, b, paas.UploadZip, zipOf(t, app(ignore)...))
		want(t, names, err, ".kuramaignore", "app.py", "keep.log")
	})
	t.Run("only the one at the top counts", func(t *testing.T) {
		names, err := stored(t, intakeBuilder(t), paas.UploadZip, zipOf(t, file{name: "app.py", text: "a"}, file{name: "sub/.kuramaignore", text: "*"}))
		want(t, names, err, "app.py", "sub/.kuramaignore")
	})
	refused := func(t *testing.T, ignore, start string) {
		t.Helper()
		_, err := stored(t, intakeBuilder(t), paas.UploadZip, zipOf(t, app(ignore)...))
		if bad, ok := errors.AsType[*paas.Invalid](err); !ok || !strings.HasPrefix(bad.Reason, start) {
			t.Errorf("got %v", err)
		}
	}
	t.Run("everything is refused", func(t *testing.T) {
		refused(t, "*\n", "`.kuramaignore` leaves no file to deploy: look at its patterns.")
	})
	t.Run("a pattern deeper than any app is refused", func(t *testing.T) {
		refused(t, "*.log\n"+strings.Repeat("**/*/", 40)+"x\n", "Line 2 of `.kuramaignore` has more than 32 names between its slashes")
	})
	t.Run("patterns without end are refused", func(t *testing.T) {
		var many strings.Builder
		for n := range maxPatterns + 1 {
			fmt.Fprintf(&many, "f%d\n", n)
		}
		refused(t, many.String(), "`.kuramaignore` is larger than 64KiB, or has more than 100 patterns.")
		refused(t, strings.Repeat("#", maxIgnore+1), "`.kuramaignore` is larger than 64KiB")
	})
}
