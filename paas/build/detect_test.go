package build

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kurama/paas"
)

func TestDetect(t *testing.T) {
	b := &Builder{opts: Options{Threads: 4}}
	found := func(name string, files map[string]string, want, why string) {
		t.Run(name, func(t *testing.T) {
			start, err := b.Detect(write(t, t.TempDir(), files), paas.Limits{CPU: 1})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(start.Command, " "); !strings.HasSuffix(got, want) || !strings.Contains(start.Why, why) || start.Health == "" {
				t.Errorf("got %q, %q, health %q", got, start.Why, start.Health)
			}
		})
	}
	refused := func(name string, files map[string]string, want string) {
		t.Run(name, func(t *testing.T) {
			start, err := b.Detect(write(t, t.TempDir(), files), paas.Limits{CPU: 1})
			if bad, ok := errors.AsType[*paas.Invalid](err); !ok || !strings.HasPrefix(bad.Reason, want) {
				t.Errorf("got %+v, %v", start, err)
			}
		})
	}
	const flask = "from flask import Flask\n"
	found("finds app in app.py", map[string]string{"app.py": flask + "app = Flask(__name__)\n"}, "--chdir /app app:app", "Found the Flask app `app` in `app.py`; starting gunicorn with 1 worker × 4 threads, because its limit is 1 CPU.")
	found("finds an app of another name", map[string]string{"site.py": flask + "server: Flask = Flask(__name__)\n"}, " site:server", "`server`")
	found("takes wsgi.py first", map[string]string{"app.py": flask + "app = Flask(__name__)\n", "wsgi.py": "from app import app as application\n"}, " wsgi:application", "wsgi.py")
	found("finds a factory", map[string]string{"app.py": flask + "def create_app(config=None, *, debug=False) -> Flask:\n    app = Flask(__name__)\n    return app\n"}, " app:create_app()", "the factory `create_app()`")
	found("finds a factory over several lines", map[string]string{"main.py": "def make_app(\n    a=1,  # one\n    b: dict[str, int] = {},\n):\n    pass\n"}, " main:make_app()", "make_app")
	found("finds a package", map[string]string{"shop/__init__.py": flask + "app = Flask(__name__)\n"}, " shop:app", "shop/__init__.py")
	found("finds a factory in a package, and says why it starts as many workers", map[string]string{"shop/__init__.py": flask + "def create_app():\n    return Flask(__name__)\n"}, " shop:create_app()",
		"Found the factory `create_app()` in `shop/__init__.py`; starting gunicorn with 1 worker × 4 threads, because its limit is 1 CPU.")
	found("finds a module of a package", map[string]string{"shop/__init__.py": "", "shop/app.py": flask + "app = Flask(__name__)\n"}, " shop.app:app", "shop/app.py")
	found("finds an app below src", map[string]string{"src/shop/__init__.py": flask + "app = Flask(__name__)\n"}, "--pythonpath /app/src shop:app", "src/shop")
	found("finds an app made in a try block", map[string]string{"app.py": "try:\n    app = Flask(__name__)\nexcept ImportError:\n    raise\n"}, " app:app", "")
	found("prefers the app to the factory that makes it", map[string]string{"app.py": "def create_app():\n    pass\napp = create_app()\n"}, " app:app", "")
	found("is not fooled by strings and comments", map[string]string{"app.py": "'''\napp = Flask(__name__)\n'''\n# app = Flask(__name__)\nsite = flask.Flask(\n  __name__)\n"}, " app:site", "")
	found("takes the Procfile", map[string]string{"Procfile": "worker: python w.py\nweb: gunicorn shop:app --bind 0.0.0.0:$PORT\n"}, "gunicorn shop:app --bind 0.0.0.0:$PORT", "`Procfile`")
	found("takes kurama.yaml before all", map[string]string{"kurama.yaml": "command: [python3, serve.py]\nhealth: /up\nport: 5000\n", "Procfile": "web: x\n"}, "python3 serve.py", "`kurama.yaml`")
	found("finds the app where the Procfile only says what to run before", map[string]string{"Procfile": "release: flask db upgrade\n", "app.py": "app = Flask(__name__)\n"}, " app:app", "Found the Flask app")
	found("takes an app named in kurama.yaml", map[string]string{"kurama.yaml": "app: shop.web:create_app()\n"}, " shop.web:create_app()", "`kurama.yaml`")
	found("says what the router serves by itself", map[string]string{"app.py": "app = Flask(__name__)\n", "shop/static/a.css": "", "kurama.yaml": "static: {path: /static/, dir: ./shop/static, cache: 1h}\n"},
		" app:app", " The router serves `/static` from `shop/static` by itself.")
	found("ignores what runs only as a program", map[string]string{"app.py": "if __name__ == '__main__':\n    app = 1\napplication = Flask(__name__)\n"}, " app:application", "")

	refused("says when there is no app", map[string]string{"x.py": "print(1)\n"}, "No Flask app was found. Name it `app` in `app.py`")
	refused("says when a factory needs an argument", map[string]string{"app.py": "def create_app(config):\n    pass\n"}, "No Flask app was found that can be started: `app.py` has `create_app(config)`, which needs an argument;")
	refused("says when the app is an ASGI one", map[string]string{"main.py": "app = FastAPI()\n"}, "No Flask app was found that can be started: `main.py` holds `app`, an ASGI app")
	refused("says when the Procfile has no web", map[string]string{"Procfile": "worker: x\n"}, "`Procfile` has no line `web: …` but worker.")
	refused("names an unknown key", map[string]string{"kurama.yaml": "health: /\ncomand: x\n"}, "`kurama.yaml`, line 2: `comand` is not known; the keys are")
	refused("names a wrong value", map[string]string{"kurama.yaml": "health: up\n"}, "`kurama.yaml`, line 1: `health` is a path")
	for what, text := range map[string]string{
		"one without a command":   "- {name: a, schedule: '@daily'}\n|`kurama.yaml`, line 2: the job `a` has no `command`",
		"two of a name":           "- {name: a, schedule: '@daily', command: x}\n- {name: a, schedule: '@daily', command: x}\n|`kurama.yaml`, line 3: there are two jobs named `a`",
		"one that is not in time": "- {name: a, schedule: '* * * *', command: x}\n|`kurama.yaml`, line 2: the job `a`: \"* * * *\" is no schedule",
		"one with a key of none":  "- name: a\n  when: x\n|`kurama.yaml`, line 3: `when` is not known of a job",
		"none":                    "  a: b\n|`kurama.yaml`, line 2: `cron` is a list of jobs",
	} {
		jobs, want, _ := strings.Cut(text, "|")
		refused("names a cron job: "+what, map[string]string{"kurama.yaml": "cron:\n" + jobs}, want)
	}
	refused("names a volume that cannot be", map[string]string{"kurama.yaml": "health: /\nvolumes:\n  ../x: 64MiB\n"}, "`kurama.yaml`, line 3: \"../x\" cannot be a volume")
	t.Run("reads when the app goes back by itself", func(t *testing.T) {
		start, err := b.Detect(write(t, t.TempDir(), map[string]string{"app.py": flask + "app = Flask(__name__)\n", "kurama.yaml": "rollback: {auto: true, within: 5m, errors: 2.5%, p95: 3x}\n"}), paas.Limits{CPU: 1})
		if r := start.Rollback; err != nil || r == nil || !*r.Auto || *r.Within != 300 || *r.Errors != 2.5 || *r.P95 != 3 || r.Memory != nil {
			t.Errorf("got %+v, %v", r, err)
		}
	})
	refused("goes back at no more than before", map[string]string{"kurama.yaml": "rollback: {auto: true, p95: 1x}\n"}, "`kurama.yaml`, line 1: `p95` cannot be 1 times: use 1.1 to 100 times.")
	refused("goes back always", map[string]string{"kurama.yaml": "rollback: always\n"}, "`kurama.yaml`, line 1: `rollback` is what makes the app go back by itself")
	refused("names a bound that cannot be", map[string]string{"kurama.yaml": "health: /\nmax_body: 0\n"}, "`kurama.yaml`, line 2: `max_body` is a size, such as `200MiB`")
	refused("names a time that cannot be", map[string]string{"kurama.yaml": "timeout: soon\n"}, "`kurama.yaml`, line 1: `timeout` is a duration from `1s` on")
	for what, text := range map[string]string{
		"the source itself":     "{path: /static, dir: .}|`kurama.yaml`, line 2: \".\" cannot be a folder of static files",
		"one above the source":  "{path: /static, dir: ../x}|`kurama.yaml`, line 2: \"../x\" cannot be a folder",
		"one with a dot":        "{path: /static, dir: .secret}|`kurama.yaml`, line 2: \".secret\" cannot be a folder",
		"one that is not there": "{path: /static, dir: nowhere}|`kurama.yaml`, line 2: the upload has no folder `nowhere`.",
		"all paths":             "{path: /, dir: s}|`kurama.yaml`, line 2: `static` is a folder",
		"a path of none":        "{path: /a b, dir: s}|`kurama.yaml`, line 2: \"/a b\" cannot be the path",
		"a path twice":          "[{path: /a, dir: s}, {path: /a, dir: s}]|`kurama.yaml`, line 2: `/a` is served from `s` already.",
		"one of volumes":        "{path: /a, dir: s}\nvolumes: {s/up: 8MiB}|`kurama.yaml`, line 2: `s` holds the volume `s/up`",
		"a time that is none":   "{path: /a, dir: s, cache: long}|`kurama.yaml`, line 2: `static` is a folder",
		"more than a year":      "{path: /a, dir: s, cache: 9000h}|`kurama.yaml`, line 2: A file cannot be kept",
	} {
		text, want, _ := strings.Cut(text, "|")
		refused("names static files: "+what, map[string]string{"app.py": "app = Flask(__name__)\n", "s/a.css": "", "kurama.yaml": "static:\n  " + text + "\n"}, want)
	}
	refused("names a release command that is none", map[string]string{"kurama.yaml": "release: [a]\n"}, "`kurama.yaml`, line 1: `release` is a line for the shell")
	refused("names a database that there is none of", map[string]string{"kurama.yaml": "health: /\ndatabase: mysql\n"}, "`kurama.yaml`, line 2: `database` is `true` or `postgres`")
	refused("says when kurama.yaml is no YAML", map[string]string{"kurama.yaml": "a: [\n"}, "`kurama.yaml` is not YAML: line")
	refused("says when both command and app are given", map[string]string{"kurama.yaml": "app: a:b\ncommand: x\n"}, "`kurama.yaml` has both")
}

func TestDetectBeforeAndVolumes(t *testing.T) {
	b := &Builder{opts: Options{Threads: 4}}
	start, err := b.Detect(write(t, t.TempDir(), map[string]string{"app.py": "app = Flask(__name__)\n", "Procfile": "release: from the Procfile\n",
		"kurama.yaml": "release: flask init-db\ndatabase: postgres\nvolumes: {instance: 64MiB, data/up: 1GiB}\n"}), paas.Limits{CPU: 1})
	want := []paas.Volume{{Path: "data/up", Size: 1 << 30}, {Path: "instance", Size: 64 << 20}}
	if err != nil || start.Release != "flask init-db" || !start.Database || !slices.Equal(start.Volumes, want) {
		t.Errorf("got %+v, %v", start, err)
	}
}

func TestDetectWorkers(t *testing.T) {
	b := &Builder{opts: Options{Threads: 8}}
	dir := write(t, t.TempDir(), map[string]string{"app.py": "app = Flask(__name__)\n"})
	for cpu, want := range map[float64]string{0.25: "--workers 1 ", 1: "--workers 1 ", 1.5: "--workers 2 ", 4: "--workers 4 "} {
		start, err := b.Detect(dir, paas.Limits{CPU: cpu})
		if err != nil || !strings.Contains(strings.Join(start.Command, " "), want+"--threads 8 ") {
			t.Errorf("%v cores: %v, %v", cpu, start.Command, err)
		}
	}
}

func TestDependencyList(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		r, err := fromProject(text)
		if got := strings.Join(r.key, "|"); err != nil || got != strings.Join(want, "|") {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
	f("[project]\ndependencies = []\n")
	f("[tool.x]\ndependencies = ['no']\n")
	f("[project]\ndependencies = [\"a>=1\", 'b[c]; python_version > \"3\"']\n[tool.y]\n", "a>=1", `b[c]; python_version > "3"`)
	f("[project]\nname='x' # y\ndependencies = [\n # no\n \"a\",\n \"b\", ]\n", "a", "b")
	f("[tool.poetry.dependencies]\npython = '^3.11'\nflask = '^2.3.1'\nzero = '^0.2.3'\ntilde = '~1.2'\nall = '*'\nfull = {version = '1.5', extras = ['a', 'b'], markers = \"sys_platform == 'linux'\"}\nno = {version = '1', optional = true}\n",
		"all", "flask>=2.3.1,<3", "full[a,b]==1.5 ; sys_platform == 'linux'", "tilde>=1.2,<1.3", "zero>=0.2.3,<0.3")
	if _, err := fromProject("[project]\ndependencies = 3\n"); err == nil || !strings.HasPrefix(err.Error(), "`pyproject.toml` cannot be read: line 2") {
		t.Errorf("got %v", err)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add("static: {path: /static, dir: s, cache: 1h}\nvolumes: {instance: 8MiB}\n")
	f.Add("static:\n- {path: /a, dir: s}\n- &x {path: *x}\n")
	dir := f.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		f.Fatal(err)
	}
	defer root.Close()
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(filepath.Join(dir, "kurama.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := detector{root: root}.manifest()
		if bad, ok := errors.AsType[*paas.Invalid](err); err != nil && (!ok || !strings.Contains(bad.Reason, "kurama.yaml")) {
			t.Errorf("got %v", err)
		}
		for _, s := range m.static {
			if err == nil && (!strings.HasPrefix(s.Path, "/") || strings.HasPrefix(s.Dir, "..") || strings.HasPrefix(s.Dir, "/")) {
				t.Errorf("taken: %+v", s)
			}
		}
	})
}

func FuzzBindings(f *testing.F) {
	f.Add("app = Flask(__name__)\n")
	f.Add("'''\n\\'''\ndef create_app(a, b=(1, 2)): pass")
	f.Fuzz(func(_ *testing.T, source string) { choose(bindings(source)) })
}

func FuzzRequirements(f *testing.F) {
	f.Add("[project]\ndependencies = [\"a>=1\", 'b']\n", "flask>=2,<3\n")
	f.Fuzz(func(_ *testing.T, project, lines string) {
		if r, err := fromProject(project); err == nil {
			r.wanted()
			r.line("flask")
		}
		satisfied(strings.Split(lines, "\n"), map[string]string{"flask": "2.2.2"})
		_, _ = decode([]byte(lines))
	})
}
