package build

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"kurama/internal/config"
	"kurama/paas"
)

func TestLayer(t *testing.T) {
	b := newBuilder(t, nil)
	var lines []string
	layer := func(t *testing.T, files map[string]string) (string, error) {
		t.Helper()
		l, err := b.Layer(t.Context(), "acme", write(t, t.TempDir(), files), logged(t, &lines))
		return l.Key, err
	}
	nothingLeft := func(t *testing.T) {
		t.Helper()
		left, err := filepath.Glob(filepath.Join(b.layersFolder(), "*"+unfinished))
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	}

	t.Run("is empty without requirements", func(t *testing.T) {
		if key, err := layer(t, map[string]string{"app.py": ""}); key != "" || err != nil {
			t.Fatalf("got %q, %v", key, err)
		}
	})
	t.Run("is empty when the base image has all", func(t *testing.T) {
		key, err := layer(t, map[string]string{"requirements.txt": "Flask>=2.0\n# comment\ngunicorn\n"})
		if key != "" || err != nil {
			t.Fatalf("got %q, %v", key, err)
		}
		if !strings.HasPrefix(lines[len(lines)-1], "Nothing to install: ") {
			t.Errorf("it says %q", lines)
		}
	})
	t.Run("installs, is reused and is seen by the app", func(t *testing.T) {
		files := map[string]string{"requirements.txt": "\ufeffflask\nshortuuid==1.0.13\r\n-e .\n"}
		key, err := layer(t, files)
		if err != nil || key == "" {
			t.Fatalf("got %q, %v", key, err)
		}
		nothingLeft(t)
		again, err := layer(t, files)
		if err != nil || again != key || lines[len(lines)-1] != "The dependencies of `requirements.txt` are installed already." {
			t.Errorf("again: %q, %v: %q", again, err, lines[len(lines)-1])
		}
		image, err := b.Base(t.Context(), logged(t, &lines))
		if err != nil {
			t.Fatal(err)
		}
		s := step{config: &container.Config{Image: image, User: "20001", Env: []string{"PATH=/opt/deps/bin:/usr/bin:/bin"},
			Cmd: []string{"sh", "-c", "python3 -c 'import shortuuid, flask, kurama' && gunicorn --version"}}, host: &container.HostConfig{NetworkMode: "none"}}
		s.host.Binds = []string{b.LayerFolder(key) + ":/opt/deps:ro"}
		if end, err := b.run(t.Context(), s, logged(t, &lines)); err != nil || end.code != 0 {
			t.Errorf("in a container: %+v, %v", end, err)
		}
	})
	t.Run("reads pyproject.toml, and makes the app an installed package with its command", func(t *testing.T) {
		files := map[string]string{"shop.py": "def main():\n    from importlib.metadata import version\n    import shortuuid\n    print('shop', version('my-shop'))\n",
			"pyproject.toml": "[project]\nname = \"my-shop\"\nversion = \"1.2\"\ndependencies = [\n  \"flask\", # web\n  'shortuuid==1.0.13',\n]\n[project.scripts]\nshop = 'shop:main'\n"}
		dir := write(t, t.TempDir(), files)
		l, err := b.Layer(t.Context(), "acme", dir, logged(t, &lines))
		key := l.Key
		if err != nil || key == "" || l.Took == 0 {
			t.Fatalf("got %+v, %v", l, err)
		}
		image, err := b.Base(t.Context(), logged(t, &lines))
		if err != nil {
			t.Fatal(err)
		}
		s := step{config: &container.Config{Image: image, Env: []string{"PATH=/opt/deps/bin:/usr/bin:/bin"}, Cmd: []string{"shop"}}, host: &container.HostConfig{NetworkMode: "none"}}
		s.host.Binds = []string{b.LayerFolder(key) + ":/opt/deps:ro", dir + ":/app:ro"}
		var said []string
		if end, err := b.run(t.Context(), s, logged(t, &said)); err != nil || end.code != 0 || !slices.Contains(said, "shop 1.2") {
			t.Errorf("in a container: %+v, %v, %q", end, err, said)
		}
	})
	t.Run("names the line and gives pip's words when it fails", func(t *testing.T) {
		_, err := layer(t, map[string]string{"requirements.txt": "flask\n\nshortuuid>=999\n"})
		bad, ok := errors.AsType[*paas.Invalid](err)
		if !ok || !strings.HasPrefix(bad.Reason, "`requirements.txt`, line 3: no version of `shortuuid` matches `>=999`. pip says: ") {
			t.Fatalf("got %v", err)
		}
		nothingLeft(t)
	})
	t.Run("takes a wheel that its tenant made before, and nobody else's", func(t *testing.T) {
		const making = "Building wheel for docopt" // it comes as source alone
		for _, c := range []struct {
			tenant, line string
			made         bool
		}{{"acme", "docopt==0.6.2", true}, {"acme", "docopt>=0.6.2", false}, {"other", "docopt<=0.6.2", true}} {
			lines = nil
			if _, err := b.Layer(t.Context(), c.tenant, write(t, t.TempDir(), map[string]string{"requirements.txt": c.line + "\n"}), logged(t, &lines)); err != nil {
				t.Fatal(err)
			}
			if made := slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, making) }); made != c.made {
				t.Errorf("%s for %s: made anew: %v", c.line, c.tenant, made)
			}
		}
	})
	t.Run("is its tenant's own where a wheel cache is used, and shared where none is", func(t *testing.T) {
		dir := write(t, t.TempDir(), map[string]string{"requirements.txt": "docopt==0.6.2\n"})
		key := func(b *Builder, tenant string) string {
			t.Helper()
			l, err := b.Layer(t.Context(), tenant, dir, logged(t, &lines))
			if err != nil || l.Key == "" {
				t.Fatalf("%s: %+v, %v", tenant, l, err)
			}
			return l.Key
		}
		own := key(b, "acme")
		lines = nil
		if key(b, "other") == own || !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "Installing 1 line") }) {
			t.Errorf("another tenant with the same line gets a layer of acme's wheels: %q", lines)
		}
		if key(b, "acme") != own {
			t.Error("a tenant does not find its own layer again")
		}
		without := newBuilder(t, func(c *config.Build, _ *Options) { c.CacheMax = 0 })
		if key(without, "acme") != key(without, "other") {
			t.Error("without a wheel cache, the same line is installed twice")
		}
	})
	t.Run("is stopped when it takes too long", func(t *testing.T) {
		slow := newBuilder(t, func(c *config.Build, _ *Options) { c.Timeout = 600 * time.Millisecond })
		_, err := slow.Layer(t.Context(), "acme", write(t, t.TempDir(), map[string]string{
			"requirements.txt": "./slow\n", "slow/setup.py": "import time\ntime.sleep(60)\n"}), logged(t, &lines))
		if _, ok := errors.AsType[*paas.Invalid](err); !ok || !strings.Contains(err.Error(), "longer than 600ms") {
			t.Fatalf("got %v", err)
		}
		entries, err := os.ReadDir(slow.layersFolder())
		if err != nil || len(entries) > 0 {
			t.Errorf("left behind: %v %v", entries, err)
		}
	})
	t.Run("collects what no release uses", func(t *testing.T) {
		old, used := filepath.Join(b.layersFolder(), "old"), filepath.Join(b.layersFolder(), "used")
		past := time.Now().Add(-2 * time.Hour)
		for _, dir := range []string{old, used} {
			if err := errors.Join(os.Mkdir(dir, 0o755), os.Chtimes(dir, past, past)); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.KeepLayers(map[string]bool{"used": true}); err != nil {
			t.Fatal(err)
		}
		left, _ := filepath.Glob(filepath.Join(b.layersFolder(), "*"))
		if slices.Contains(left, old) || !slices.Contains(left, used) || len(left) < 2 {
			t.Errorf("left: %v", left)
		}
	})
}

func TestSatisfied(t *testing.T) {
	have := map[string]string{"flask": "2.2.2", "markupsafe": "2.1"}
	f := func(line string, want bool) {
		t.Helper()
		if got := satisfied([]string{line}, have); got != want {
			t.Errorf("%s: %t", line, got)
		}
	}
	f("flask", true)
	f("Flask>=2.2", true)
	f("flask == 2.2.2", true)
	f("flask>=2,<3", true)
	f("flask~=2.2", true)
	f("flask~=2.2.1", true)
	f("MarkupSafe==2.1.0", true)
	f("flask>=3", false)
	f("flask!=2.2.2", false)
	f("flask~=2.1.9", false)
	f("flask[async]", false)
	f("flask; python_version < '3'", false)
	f("flask @ https://example.org/flask.whl", false)
	f("requests", false)
	f("-r more.txt", false)
}

func TestReadHost(t *testing.T) {
	dir := t.TempDir()
	h := readHost([]string{"PIP_INDEX_URL=https://user:secret@10.0.0.9:8443/simple", "PIP_FIND_LINKS=" + dir, "PIP_TARGET=/x",
		"https_proxy=http://10.0.0.10:3128", "HOME=/root", "AWS_SECRET_ACCESS_KEY=x"})
	for _, name := range []string{"PIP_TARGET", "HOME", "AWS"} {
		if slices.ContainsFunc(h.env, func(s string) bool { return strings.HasPrefix(s, name) }) {
			t.Errorf("%s is handed in", name)
		}
	}
	shown := false
	for _, m := range h.mounts {
		shown = shown || m.Source == dir && m.ReadOnly
	}
	if !shown {
		t.Errorf("the folder of wheels is not mounted: %+v", h.mounts)
	}
	if got := h.addresses(t.Context()); len(got) != 2 || got[0].String() != "10.0.0.9:8443" || got[1].String() != "10.0.0.10:3128" {
		t.Errorf("addresses: %v", got)
	}
}
