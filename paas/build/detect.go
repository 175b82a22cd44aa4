package build

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"kurama/paas"
)

// maxScanned bounds what is read of one file to find an app in it.
const maxScanned = 1 << 20

// Detect finds out how the app in dir is started: by its kurama.yaml, else by
// its Procfile, else by the first Flask app in its Python sources. No code of
// the app runs for that. It returns *paas.Invalid where none fits, with what to
// do.
func (b *Builder) Detect(dir string, limits paas.Limits) (paas.Start, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return paas.Start{}, fmt.Errorf("source: %w", err)
	}
	defer root.Close()
	d := detector{root: root, threads: max(1, b.opts.Threads), workers: max(1, int(math.Ceil(limits.CPU))), cpu: limits.CPU}
	start, err := d.detect()
	if err == nil && start.Health == "" {
		start.Health = "/"
	}
	start.Why += servedBy(start.Static)
	return start, err
}

type detector struct {
	root    *os.Root
	threads int
	workers int
	cpu     float64
}

func (d detector) detect() (paas.Start, error) {
	m, err := d.manifest()
	if err != nil {
		return paas.Start{}, err
	}
	procfile, err := d.procfile()
	if err != nil {
		return paas.Start{}, err
	}
	start := paas.Start{Health: m.health, Release: cmp.Or(m.release, procfile.release), Volumes: m.volumes, Database: m.database, Static: m.static, Pipeline: m.pipeline, Cron: m.cron, Bounds: m.bounds, Rollback: m.rollback}
	switch {
	case len(m.command) > 0:
		start.Command, start.Shell, start.Why = m.command, m.shell, "`kurama.yaml` says how to start it."
		return start, nil
	case m.app != "":
		start.Command = d.gunicorn(m.app, "")
		start.Why = fmt.Sprintf("`kurama.yaml` names `%s`; starting gunicorn with %s, because %s.", m.app, d.size(), d.because())
		return start, nil
	}
	if procfile.web != "" {
		start.Command, start.Shell, start.Why = []string{procfile.web}, true, "`Procfile` says how to start it."
		return start, nil
	}
	if err := procfile.lacksWeb(); err != nil {
		return paas.Start{}, err
	}
	found, err := d.find()
	if err != nil {
		return paas.Start{}, err
	}
	start.Command = d.gunicorn(found.target, found.path)
	start.Why = fmt.Sprintf("Found %s in `%s`; starting gunicorn with %s, because %s.", found.what, found.file, d.size(), d.because())
	return start, nil
}

// size writes "1 worker × 4 threads".
func (d detector) size() string {
	return plural(d.workers, "worker") + " × " + plural(d.threads, "thread")
}

// because says why as many workers are started.
func (d detector) because() string {
	return fmt.Sprintf("its limit is %s CPU", strconv.FormatFloat(d.cpu, 'g', -1, 64))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// gunicorn returns the argv that serves target ("module:app"). Connections are
// kept longer than the router keeps them, so that it never writes into one
// that is being closed.
func (d detector) gunicorn(target, pythonPath string) []string {
	argv := []string{"python3", "-m", "gunicorn", "--bind", "0.0.0.0:8000",
		"--worker-class", "gthread", "--workers", strconv.Itoa(d.workers), "--threads", strconv.Itoa(d.threads),
		"--worker-tmp-dir", "/dev/shm", "--keep-alive", "120", "--timeout", "120", "--graceful-timeout", "8",
		"--log-level", "warning", "--chdir", "/app"}
	if pythonPath != "" {
		argv = append(argv, "--pythonpath", pythonPath)
	}
	return append(argv, target)
}

// sighting is a Flask app that was found.
type sighting struct {
	file   string // in which it is
	target string // module:app
	path   string // folder to add to Python's path; empty: /app is enough
	what   string // for the explanation
}

// first are the files where an app is looked for before all others.
var first = []string{"wsgi.py", "app.py", "main.py"}

// find looks for the app where people put it, most usual places first.
func (d detector) find() (sighting, error) {
	var unfit []string
	for _, place := range []struct{ dir, path string }{{".", ""}, {"src", "/app/src"}} {
		for _, file := range d.candidates(place.dir) {
			text, err := d.read(path.Join(place.dir, file))
			if err != nil {
				continue
			}
			b, why := choose(bindings(text))
			if why != "" {
				unfit = append(unfit, fmt.Sprintf("`%s` %s", path.Join(place.dir, file), why))
			}
			if b.name != "" {
				return sighting{file: path.Join(place.dir, file), target: moduleName(file) + ":" + b.target(), path: place.path, what: b.what()}, nil
			}
		}
	}
	if len(unfit) > 0 {
		return sighting{}, invalid("No Flask app was found that can be started: %s.", strings.Join(unfit, "; "))
	}
	return sighting{}, invalid("No Flask app was found. Name it `app` in `app.py`, write a function `create_app()`, or say how to start it in a `Procfile`: `web: gunicorn mymodule:app`.")
}

// candidates returns the Python files of one folder worth reading, in order:
// the usual ones, packages, the rest.
func (d detector) candidates(dir string) []string {
	entries, err := fs.ReadDir(d.root.FS(), dir)
	if err != nil {
		return nil
	}
	var modules, packages []string
	for _, e := range entries {
		name := e.Name()
		switch {
		case e.IsDir() && identifier(name) && name != "tests" && d.exists(path.Join(dir, name, "__init__.py")):
			for _, inside := range []string{"__init__.py", "wsgi.py", "app.py", "main.py"} {
				packages = append(packages, name+"/"+inside)
			}
		case !e.IsDir() && strings.HasSuffix(name, ".py") && identifier(strings.TrimSuffix(name, ".py")) &&
			!slices.Contains(first, name) && !strings.HasPrefix(name, "test_") && name != "conftest.py" && name != "setup.py":
			modules = append(modules, name)
		}
	}
	return slices.Concat(first, packages, modules)
}

func (d detector) exists(name string) bool {
	_, err := d.root.Stat(name)
	return err == nil
}

// read returns a text file's beginning without a byte order mark.
func (d detector) read(name string) (string, error) {
	f, err := d.root.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxScanned))
	return string(bytes.TrimPrefix(text, []byte("\ufeff"))), err
}

// moduleName turns pkg/app.py into pkg.app and pkg/__init__.py into pkg.
func moduleName(file string) string {
	name := strings.ReplaceAll(strings.TrimSuffix(file, ".py"), "/", ".")
	return strings.TrimSuffix(name, ".__init__")
}
