package build

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"

	"kurama/paas"
)

func TestParseApt(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		if got, err := parseApt(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
	f("")
	f("# only\n\n  # comments\n")
	f("poppler-utils libpq5\r\ng++ # compiler\nlibpq5\n", "g++", "libpq5", "poppler-utils")
	refused := func(text, want string) {
		t.Helper()
		_, err := parseApt(text)
		if bad, ok := errors.AsType[*paas.Invalid](err); !ok || !strings.HasPrefix(bad.Reason, want) {
			t.Errorf("%q: got %v", text, err)
		}
	}
	for _, name := range []string{"-o", "--force-yes", "libpq5=1.2", "libpq5/sid", "libc6-", "./x.deb", "https://example.org/x.deb", "a;id", "$(id)", "`id`", "a'b", "Libpq5", "^lib", "lib*", "x"} {
		refused("libpq5\n"+name+"\n", "`apt.txt`, line 2: ")
	}
	refused(strings.Repeat("aa", 300), "`apt.txt`, line 1: ")
	var many strings.Builder
	for i := range maxPackages + 1 {
		many.WriteString("lib" + strings.Repeat("x", i) + "y\n")
	}
	refused(many.String(), "`apt.txt` names 51 packages: 50 are the limit")
}

func TestAptFailure(t *testing.T) {
	f := func(want string, output ...string) {
		t.Helper()
		if err := aptFailure(output, sizeText("2GiB")); !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v", output, err)
		}
	}
	f("`apt.txt`: Debian's "+suite()+" has no package `libnope`.", "W: old", "KURAMA missing libnope")
	f("The packages of `apt.txt` take 4194304 KiB with all that they need, and 2GiB is the largest", "KURAMA size 4194304")
	f("The packages of `apt.txt` could not be installed. apt says: Unable to fetch x", "Err:1", "E: Unable to fetch x")
	f("The packages of `apt.txt` could not be installed. apt says: one two", "one", "two")
}

type sizeText string

func (s sizeText) String() string { return string(s) }

func TestPackages(t *testing.T) {
	b := newBuilder(t, nil)
	var lines []string
	app := func(packages string) string {
		return write(t, t.TempDir(), map[string]string{"apt.txt": packages, "app.py": ""})
	}
	t.Run("are in the image that the app runs on, and installed once", func(t *testing.T) {
		dir := app("# says hello\nhello\n")
		made, err := b.Image(t.Context(), "acme", dir, logged(t, &lines))
		if err != nil || made.Took == 0 {
			t.Fatalf("got %+v, %v", made, err)
		}
		base, err := b.ready(t.Context(), logged(t, &lines))
		if err != nil || base.image == made.Name {
			t.Fatalf("got %+v, %v", base, err)
		}
		t.Cleanup(func() {
			for _, tag := range []string{made.Name, aptTag(base.bootstrap, []string{"hello"})} {
				if _, err := b.opts.Docker.ImageRemove(context.Background(), tag, image.RemoveOptions{}); err != nil {
					t.Error(err)
				}
			}
		})
		again, err := b.Image(t.Context(), "other", dir, logged(t, &lines))
		if err != nil || again.Name != made.Name || again.Took != 0 {
			t.Errorf("again: %+v, %v", again, err)
		}
		var said []string
		end, err := b.run(t.Context(), step{
			config: &container.Config{Image: made.Name, User: "20001", Cmd: []string{"sh", "-c", "hello && python3 -c 'import flask, kurama'"}},
			host:   &container.HostConfig{NetworkMode: "none"},
		}, logged(t, &said))
		if err != nil || end.code != 0 || !slices.Contains(said, "Hello, world!") {
			t.Errorf("in a container: %+v, %v, %q", end, err, said)
		}
		if err := b.dropUnusedPackages(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("that there are not are named", func(t *testing.T) {
		_, err := b.Image(t.Context(), "acme", app("kurama-no-such-package\n"), logged(t, &lines))
		if bad, ok := errors.AsType[*paas.Invalid](err); !ok || !strings.Contains(bad.Reason, "has no package `kurama-no-such-package`") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("are none without apt.txt", func(t *testing.T) {
		base, err := b.ready(t.Context(), logged(t, &lines))
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.Image(t.Context(), "acme", write(t, t.TempDir(), map[string]string{"app.py": ""}), logged(t, &lines))
		if err != nil || got.Name != base.image {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

func FuzzApt(f *testing.F) {
	f.Add("libpq5\n# x\nimagemagick g++")
	f.Add("-o\x00Dir=/\n$(id)")
	f.Fuzz(func(t *testing.T, text string) {
		names, err := parseApt(text)
		for _, name := range names {
			if err == nil && (strings.ContainsAny(name, " \t\r\n'\"$`;&|<>()\\/=*?[]^") || strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-")) {
				t.Errorf("taken: %q", name)
			}
		}
	})
}
