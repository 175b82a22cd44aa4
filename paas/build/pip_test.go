package build

import (
	"strings"
	"testing"
)

func TestPipFailure(t *testing.T) {
	f := func(text, output, want string) {
		t.Helper()
		err := pipFailure(requirements{file: "requirements.txt", text: text}, strings.Split(output, "\n"))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v", err)
		}
	}
	f("flask\nnosuch>=9\n", "ERROR: No matching distribution found for nosuch>=9", "`requirements.txt`, line 2: no version of `nosuch` matches `>=9`. pip says:")
	f("flask\npsycopg2==2.7.3\n", `Collecting flask
Collecting psycopg2==2.7.3
  Downloading psycopg2-2.7.3.tar.gz (425 kB)
  Preparing metadata (setup.py): started
  error: subprocess-exited-with-error

  × python setup.py egg_info did not run successfully.
  ╰─> [25 lines of output]
      Error: pg_config executable not found.
      [end of output]
error: metadata-generation-failed`,
		"`requirements.txt`, line 2: there is no ready-made wheel of `psycopg2` for this Python, and making one failed: Error: pg_config executable not found. Ask for a version that comes as a wheel, such as `psycopg2-binary`.")
	f("slow\n", "Building wheels for collected packages: slow\n  Building wheel for slow (setup.py): started\n  error: subprocess-exited-with-error\n      error: command 'gcc' failed: No such file or directory",
		"`requirements.txt`, line 1: there is no ready-made wheel of `slow` for this Python, and making one failed: error: command 'gcc' failed: No such file or directory.")
	f("x\n", "what\never", "The dependencies of `requirements.txt` could not be installed. pip says: what ever")
}

func TestWorkerOfProcfile(t *testing.T) {
	f := func(procfile, requirements, want string) {
		t.Helper()
		r, err := readRequirements(write(t, t.TempDir(), map[string]string{"Procfile": procfile, "requirements.txt": requirements}))
		if got := strings.Join(r.wanted(), " "); err != nil || got != want {
			t.Errorf("%s: got %q, %v", procfile, got, err)
		}
	}
	f("web: gunicorn app:app -k gevent", "flask", "flask gevent")
	f("web: gunicorn --worker-class=eventlet app:app", "", "eventlet")
	f("web: gunicorn -k gevent app:app", "gevent==24.2.1", "gevent==24.2.1")
	f("web: gunicorn -k gthread app:app", "flask", "flask")
}
