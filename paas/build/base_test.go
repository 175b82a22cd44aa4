package build

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"

	"kurama/internal/config"
	"kurama/logship/record"
)

// newBuilder returns a builder on a folder of its own with the real engine.
func newBuilder(t testing.TB, change func(*config.Build, *Options)) *Builder {
	t.Helper()
	docker, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	id := record.NewID(time.Now()).String()
	cfg := config.Default().Build
	opts := Options{Data: t.TempDir(), Instance: "test" + id[len(id)-8:], Threads: 4, SDK: tinySDK(), Docker: docker,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	if change != nil {
		change(&cfg, &opts)
	}
	b, err := New(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		own := filters.NewArgs(filters.Arg("label", "kurama.instance="+opts.Instance))
		left, err := docker.ContainerList(context.Background(), container.ListOptions{All: true, Filters: own})
		if err != nil || len(left) > 0 {
			t.Errorf("build containers stay behind: %v %v", left, err)
		}
		docker.Close()
	})
	return b
}

// tinySDK keeps these tests apart from changes of the real one.
func tinySDK() fs.FS {
	return fstest.MapFS{
		"kurama/__init__.py": {Data: []byte("here = True\n")},
		"kurama.pth":         {Data: []byte("import os\n")},
	}
}

func logged(t testing.TB, lines *[]string) func(string) {
	return func(l string) {
		t.Log(l)
		*lines = append(*lines, l)
	}
}

func write(t testing.TB, dir string, files map[string]string) string {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestBase(t *testing.T) {
	b := newBuilder(t, nil)
	var lines []string
	image, err := b.Base(t.Context(), logged(t, &lines))
	if err != nil {
		t.Fatal(err)
	}

	t.Run("is ready at once the second time", func(t *testing.T) {
		began := time.Now()
		again, err := b.Base(t.Context(), func(l string) { t.Errorf("says %q", l) })
		if err != nil || again != image {
			t.Fatalf("got %q, %v", again, err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("took %s", took)
		}
	})
	t.Run("has Flask, gunicorn and the SDK", func(t *testing.T) {
		var out []string
		end, err := b.run(t.Context(), step{
			config: &container.Config{Image: image, User: "20001", Cmd: []string{"python3", "-c", "import flask, gunicorn, kurama; print(kurama.here)"}},
			host:   &container.HostConfig{NetworkMode: "none"},
		}, logged(t, &out))
		if err != nil || end.code != 0 || len(out) == 0 || out[len(out)-1] != "True" {
			t.Fatalf("got %+v %q, %v", end, out, err)
		}
	})
	t.Run("starts gunicorn without pkg_resources, and with it where that is needed", func(t *testing.T) {
		const check = `import sys, gunicorn.app.wsgiapp, gunicorn.util
assert "pkg_resources" not in sys.modules, "imported at the start"
try: gunicorn.util.load_class("egg:gunicorn#nothing")
except RuntimeError as e: print("Entry point" in str(e) and "pkg_resources" in sys.modules)`
		var out []string
		end, err := b.run(t.Context(), step{
			config: &container.Config{Image: image, User: "20001", Cmd: []string{"python3", "-W", "ignore", "-c", check}},
			host:   &container.HostConfig{NetworkMode: "none"},
		}, logged(t, &out))
		if err != nil || end.code != 0 || len(out) == 0 || out[len(out)-1] != "True" {
			t.Fatalf("got %+v %q, %v", end, out, err)
		}
	})
	t.Run("goes when an SDK change has left it, and nothing uses it", func(t *testing.T) {
		former := newBuilder(t, func(_ *config.Build, o *Options) {
			o.SDK = fstest.MapFS{"kurama/__init__.py": {Data: []byte("here = 0\n")}, "kurama.pth": {Data: []byte("\n")}}
		})
		old, err := former.Base(t.Context(), logged(t, &lines))
		if err != nil {
			t.Fatal(err)
		}
		there := func(tag string) bool {
			t.Helper()
			_, ok, err := b.imageID(t.Context(), tag)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		// Whatever else the engine holds is not this test's.
		clean := func() {
			t.Helper()
			if err := b.removeOf(t.Context(), time.Now(), func(tag string) bool { return tag == old || tag == image }); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.RemoveOldBases(t.Context()); err != nil || !there(old) {
			t.Errorf("a young one is gone: %v", err)
		}
		_, err = b.run(t.Context(), step{config: &container.Config{Image: old, Cmd: []string{"true"}}, host: &container.HostConfig{NetworkMode: "none"},
			keep: func(context.Context, string) error { clean(); return nil }}, logged(t, &lines))
		if err != nil || !there(old) {
			t.Errorf("one that a container uses is gone: %v", err)
		}
		clean()
		if there(old) || !there(image) {
			t.Errorf("old there: %t, present one there: %t", there(old), there(image))
		}
	})
	t.Run("can be made from a given image", func(t *testing.T) {
		boot, _ := b.knownBootstrap(t.Context())
		given := newBuilder(t, func(c *config.Build, o *Options) {
			c.Base, o.SDK = boot, fstest.MapFS{"kurama/__init__.py": {Data: []byte("here = 2\n")}, "kurama.pth": {Data: []byte("\n")}}
		})
		tag, err := given.Base(t.Context(), logged(t, &lines))
		if err != nil {
			t.Fatal(err)
		}
		given.untag(tag)
		given.untag(given.bootstrapTags()[0])
	})
}
