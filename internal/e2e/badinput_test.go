package e2e

import (
	"archive/zip"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestBadApps uploads what cannot become an app: each is answered with a
// sentence, and nothing is left behind.
func TestBadApps(t *testing.T) {
	p := sharedPlatform(t)
	const hello = "from flask import Flask\napp = Flask(__name__)\n@app.get('/')\ndef home(): return 'x'\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"no Flask app inside", map[string]string{"notes.txt": "hi"}, `No Flask app was found`},
		{"a syntax error", map[string]string{"app.py": hello + "def broken(:\n"}, `(?s)app\.py., line \d+: SyntaxError.*def broken\(:\n +\^`},
		{"it dies at start and its last lines are shown", map[string]string{"app.py": "print('about to die')\n" + hello + "raise RuntimeError('no database today')\n"},
			`no database today`},
		{"it listens on the wrong port", map[string]string{"Procfile": "web: python3 app.py\n",
			"app.py": hello + "app.run(port=5000)\n"}, `127\.0\.0\.1:5000, where the router cannot reach it`},
		{"a requirement that does not exist shows pip's own words", map[string]string{"app.py": hello, "requirements.txt": "flask\nkurama-there-is-no-such-package==9.9\n"},
			`(?s)requirements\.txt.*kurama-there-is-no-such-package`},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := p.cli("deploy", writeApp(t, c.files), "--app", "bad")
			if err == nil || !regexp.MustCompile(c.want).MatchString(out) {
				t.Errorf("%v\n%s\nwanted %s", err, out, c.want)
			}
			eventually(t, 15*time.Second, func() error { // it stays a moment for its last output to be read
				left, err := exec.Command("docker", "ps", "-aq", "--filter", "label=kurama.app=bad").Output()
				if err == nil && strings.TrimSpace(string(left)) != "" {
					err = fmt.Errorf("containers left behind: %s", left)
				}
				return err
			})
		})
	}
	files := map[string]func(t *testing.T, path string){
		"not an archive": func(t *testing.T, path string) { must(t, os.WriteFile(path, []byte("this is no zip"), 0o600)) },
		"path escape":    escapingZip,
	}
	for name, make := range files {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "app.zip")
			make(t, path)
			out, err := p.cli("deploy", path, "--app", "bad")
			if err == nil || !regexp.MustCompile(`(?i)not (a|an) .*(zip|archive)|leaves its folder: .*passwd`).MatchString(out) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	t.Run("no upload is left, and of the sources only those that other settings could mend", func(t *testing.T) {
		wantFolder(t, filepath.Join(p.data, "uploads"), 0)
		wantFolder(t, filepath.Join(p.data, "releases/default/bad"), 2) // those that failed at their start
	})
	t.Run("deleting the app leaves nothing", func(t *testing.T) {
		p.must(t, "delete", "bad", "--yes")
		wantFolder(t, filepath.Join(p.data, "releases/default/bad"), 0)
	})
}

func wantFolder(t *testing.T, dir string, want int) {
	t.Helper()
	eventually(t, 10*time.Second, func() error {
		left, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if len(left) != want {
			return fmt.Errorf("%s holds %v, not %d entries", dir, left, want)
		}
		return nil
	})
}

func escapingZip(t *testing.T, path string) {
	f, err := os.Create(path)
	must(t, err)
	z := zip.NewWriter(f)
	w, err := z.Create("../../etc/passwd")
	must(t, err)
	_, err = w.Write([]byte("root"))
	must(t, err)
	must(t, z.Close())
	must(t, f.Close())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestBadCalls asks for what is not there or not allowed.
func TestBadCalls(t *testing.T) {
	p := sharedPlatform(t)
	t.Run("an unknown app is named", func(t *testing.T) {
		out, err := p.cli("logs", "nosuch")
		if err == nil || !strings.Contains(out, "nosuch") {
			t.Errorf("%v %s", err, out)
		}
	})
	t.Run("a wrong token is refused with what to do", func(t *testing.T) {
		cmd := exec.Command(binary, "apps")
		cmd.Env = append(os.Environ(), "KURAMA_URL="+p.console, "KURAMA_TOKEN=kt_wrong")
		out, err := cmd.CombinedOutput()
		if err == nil || !regexp.MustCompile(`(?i)token`).Match(out) {
			t.Errorf("%v %s", err, out)
		}
	})
}

// TestBadStart starts the platform where it cannot run.
func TestBadStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	for _, c := range []struct {
		name, config string
		env          []string
		want         string
		code         int
	}{
		{"an unknown key", "router:\n  lisen: :80\n", nil, `config\.yaml, line 2: router\.lisen: there is no such key\. Allowed here: .*listen`, 2},
		{"a value out of bounds", "app:\n  cpu: -1\n", nil, `line 2: app\.cpu: -1 is negative`, 2},
		{"a port that is taken", "console: {listen: '" + taken.Addr().String() + "'}\ndashboard: {listen: '127.0.0.1:0'}\nrouter: {listen: '127.0.0.1:0'}\n", nil,
			`is taken by another program.*console\.listen`, 1},
		{"no Docker engine", free, []string{"DOCKER_HOST=unix:///nowhere/docker.sock"}, `the Docker engine.*docs\.docker\.com`, 1},
		{"no PostgreSQL", free + "database: {bin: /nowhere}\n", nil, `PostgreSQL.*database\.url`, 1},
		{"a disk without room", free, nil, `MiB free; Kurama needs`, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if c.name == "a disk without room" {
				smallDisk(t, dir)
			}
			path := filepath.Join(dir, "config.yaml")
			must(t, os.WriteFile(path, []byte(c.config), 0o600))
			cmd := exec.Command(binary, "up", "--config", path, "--data", filepath.Join(dir, "data"))
			cmd.Env = append(os.Environ(), c.env...)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != c.code || !regexp.MustCompile(c.want).Match(out) {
				t.Errorf("%v\n%s\nwanted status %d, %s", err, out, c.code, c.want)
			}
		})
	}
}

const free = "console: {listen: '127.0.0.1:0'}\ndashboard: {listen: '127.0.0.1:0'}\nrouter: {listen: '127.0.0.1:0'}\nstream: {listen: '127.0.0.1:0'}\n"

// smallDisk mounts a file system of 16 MiB on dir.
func smallDisk(t *testing.T, dir string) {
	t.Helper()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Fatalf("mounting a small disk: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("%v %s", err, out)
		}
	})
}
