package build

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"kurama/paas"
)

const uvLock = `version = 1
requires-python = ">=3.11"
[[package]]
name = "shop"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "flask" }, { name = "httpx", extra = ["http2"] }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]
[[package]]
name = "flask"
version = "3.1.0"
source = { registry = "https://index.example/simple" }
dependencies = [{ name = "click" }]
[[package]]
name = "click"
version = "8.1.8"
source = { registry = "https://index.example/simple" }
dependencies = [{ name = "colorama", marker = "sys_platform == 'win32'" }]
[[package]]
name = "colorama"
version = "0.4.6"
source = { registry = "https://index.example/simple" }
[[package]]
name = "httpx"
version = "0.28.1"
source = { registry = "https://index.example/simple" }
[package.optional-dependencies]
http2 = [{ name = "h2" }]
[[package]]
name = "h2"
version = "4.1.0"
source = { registry = "https://index.example/simple" }
[[package]]
name = "pytest"
version = "8.3.4"
source = { registry = "https://index.example/simple" }
`

const poetryLock = `[[package]]
name = "flask"
version = "2.3.3"
optional = false
[package.dependencies]
click = ">=8.1.3"
asgiref = {version = ">=3.2", optional = true, markers = "extra == \"async\""}
importlib-metadata = {version = ">=3.6.0", markers = "python_version < \"3.10\""}
[[package]]
name = "click"
version = "8.1.7"
[[package]]
name = "asgiref"
version = "3.7.2"
[[package]]
name = "importlib-metadata"
version = "6.8.0"
[[package]]
name = "pytest"
version = "7.4.0"
`

func TestLockFiles(t *testing.T) {
	f := func(name string, files map[string]string, file string, want ...string) {
		t.Run(name, func(t *testing.T) {
			r, err := readRequirements(write(t, t.TempDir(), files))
			if err != nil || r.file != file || !slices.Equal(r.wanted(), want) {
				t.Errorf("got %q of %s, %v", r.wanted(), r.file, err)
			}
		})
	}
	const project = "[project]\nname = 'shop'\ndependencies = ['flask', 'httpx[http2]']\n"
	f("uv.lock, without what is for development", map[string]string{"pyproject.toml": project, "uv.lock": uvLock}, "uv.lock",
		"click==8.1.8", "colorama==0.4.6 ; (sys_platform == 'win32')", "flask==3.1.0", "h2==4.1.0", "httpx==0.28.1")
	f("a requirements.txt comes first", map[string]string{"pyproject.toml": project, "uv.lock": uvLock, "requirements.txt": "flask\n"}, "requirements.txt", "flask")
	f("a lock with a package of a repository is left to pip", map[string]string{"pyproject.toml": project,
		"uv.lock": strings.Replace(uvLock, "version = \"8.1.8\"\nsource = { registry = \"https://index.example/simple\" }", "version = \"8.1.8\"\nsource = { git = \"https://example.org/click\" }", 1)}, "pyproject.toml", "flask", "httpx[http2]")
	poetry := "[tool.poetry.dependencies]\npython = '^3.10'\nflask = '^2.3'\n"
	f("poetry.lock", map[string]string{"pyproject.toml": poetry, "poetry.lock": poetryLock}, "poetry.lock",
		"click==8.1.7", "flask==2.3.3", `importlib-metadata==6.8.0 ; (python_version < "3.10")`)
	f("poetry.lock with an extra", map[string]string{"pyproject.toml": strings.Replace(poetry, "'^2.3'", "{version='^2.3', extras=['async']}", 1), "poetry.lock": poetryLock}, "poetry.lock",
		"asgiref==3.7.2", "click==8.1.7", "flask==2.3.3", `importlib-metadata==6.8.0 ; (python_version < "3.10")`)
	f("Pipfile.lock", map[string]string{"Pipfile.lock": `{"default":{"flask":{"version":"==3.0.0"},"colorama":{"version":"==0.4.6","markers":"sys_platform == 'win32'"}},"develop":{"pytest":{"version":"==8"}}}`}, "Pipfile.lock",
		"colorama==0.4.6 ; (sys_platform == 'win32')", "flask==3.0.0")
	t.Run("one that cannot be read is named", func(t *testing.T) {
		_, err := readRequirements(write(t, t.TempDir(), map[string]string{"Pipfile.lock": "{"}))
		if bad, ok := errors.AsType[*paas.Invalid](err); !ok || !strings.HasPrefix(bad.Reason, "`Pipfile.lock` cannot be read: ") {
			t.Errorf("got %v", err)
		}
	})
}

func TestSelf(t *testing.T) {
	p, err := readProject("[project]\nname = 'my-shop'\nversion = '1.2'\n[project.scripts]\nshop = 'shop.cli:main'\n'../x' = 'a:b'\nodd = 'a; b'\n[project.entry-points.'flask.commands']\ndb = 'shop.db:cli'\n")
	if err != nil {
		t.Fatal(err)
	}
	files := p.self().files()
	const info = "site/my_shop-1.2.dist-info/"
	for name, want := range map[string]string{info + "METADATA": "Name: my-shop\nVersion: 1.2\n", info + "entry_points.txt": "[flask.commands]\ndb = shop.db:cli\n", "bin/shop": "from shop.cli import main\n"} {
		if !strings.Contains(files[name], want) {
			t.Errorf("%s: %q", name, files[name])
		}
	}
	if len(files) != 5 {
		t.Errorf("got %d files: %v", len(files), files)
	}
	if strange := (self{name: "../x", version: "1"}); (project{}).self().files() != nil || packageName.MatchString(strange.name) {
		t.Error("a name that is a path is taken")
	}
}

func FuzzLocks(f *testing.F) {
	f.Add("[project]\nname = 'shop'\ndependencies = ['flask']\n", uvLock)
	f.Add("[tool.poetry.dependencies]\nflask = '^2.3'\n", poetryLock)
	f.Fuzz(func(_ *testing.T, text, lock string) {
		p, err := readProject(text)
		if err != nil {
			return
		}
		p.self().files()
		for _, read := range []func([]byte, project) (locked, error){readUVLock, readPoetryLock, readPipfileLock} {
			if l, err := read([]byte(lock), p); err == nil {
				l.requirements()
			}
		}
	})
}
