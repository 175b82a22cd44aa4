package deploy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kurama/paas"
)

// notes keeps its rows in Flask's instance folder, in tables that somebody else
// has to make.
const notes = `import os, sqlite3
from flask import Flask
app = Flask(__name__)
file = os.path.join(app.instance_path, "notes.db")
@app.cli.command("init-db")
def init():
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE IF NOT EXISTS note (text)")
    print("tables made")
@app.get("/")
def index():
    with sqlite3.connect(file) as db:
        return ",".join(row[0] for row in db.execute("SELECT text FROM note"))
@app.get("/add/<text>")
def add(text):
    with sqlite3.connect(file) as db:
        db.execute("INSERT INTO note VALUES (?)", (text,))
    return "added"
@app.get("/fill")
def fill():
    try:
        with open(os.path.join(app.instance_path, "fill"), "wb") as f:
            while True:
                f.write(bytes(1 << 20))
    except OSError as e:
        return str(e)
    finally:
        os.remove(f.name)
`

func TestVolumes(t *testing.T) {
	p := newPlatform(t, nil)
	p.run()
	if os.Getuid() != 0 { // then they cannot be, and say so
		rel := p.deploy("notes", p.upload(map[string]string{"app.py": notes, "kurama.yaml": "volumes: {instance: 16MiB}\n"}))
		if rel.State != paas.ReleaseFailed || !strings.HasPrefix(rel.Reason, "Volumes need Kurama to run as root") {
			t.Errorf("got %s %q", rel.State, rel.Reason)
		}
		return
	}
	t.Cleanup(func() {
		if err := p.engine.UnmountVolumes(); err != nil {
			t.Error(err)
		}
	})
	var log []string
	run := func(app string, command ...string) int {
		t.Helper()
		log = nil
		exit, err := p.RunCommand(t.Context(), paas.DefaultTenant, app, command, func(_, line string) { log = append(log, line) })
		if err != nil {
			t.Fatal(err)
		}
		return exit
	}
	ask := func(t *testing.T, app, path, want string) {
		t.Helper()
		if status, body := p.get(app, path); status != 200 || body != want {
			t.Errorf("GET %s: %d %q, want %q", path, status, body, want)
		}
	}

	t.Run("a first release that lacks its tables says so and how to get them", func(t *testing.T) {
		rel := p.deploy("notes", p.upload(map[string]string{"app.py": notes}))
		if rel.State != paas.ReleaseFailed || !strings.HasPrefix(rel.Reason, "`GET /` keeps answering 500 with OperationalError") ||
			!strings.Contains(rel.Reason, "`kurama volumes notes add instance`") || !strings.Contains(rel.Reason, "\nsqlite3.OperationalError: no such table: note") {
			t.Errorf("got %s %q", rel.State, rel.Reason)
		}
	})
	t.Run("a command makes them on a volume, though nothing is live", func(t *testing.T) {
		if err := p.AddVolume(t.Context(), paas.DefaultTenant, "notes", paas.Volume{Path: "instance", Size: 16 << 20}); err != nil {
			t.Fatal(err)
		}
		if exit := run("notes", "flask", "init-db"); exit != 0 || strings.Join(log, "") != "tables made" {
			t.Fatalf("exit %d: %q", exit, log)
		}
		p.live("notes", p.upload(map[string]string{"app.py": notes}))
		ask(t, "notes", "/add/one", "added")
		ask(t, "notes", "/", "one")
	})
	t.Run("the next release finds what the former one wrote", func(t *testing.T) {
		p.live("notes", p.upload(map[string]string{"app.py": notes + "# changed\n"}))
		ask(t, "notes", "/", "one")
	})
	t.Run("it ends at its size and shows what is taken", func(t *testing.T) {
		ask(t, "notes", "/fill", "[Errno 28] No space left on device")
		found, err := p.Volumes(t.Context(), paas.DefaultTenant, "notes")
		if err != nil || len(found) != 1 || found[0].Used == nil || *found[0].Used > found[0].Size {
			t.Errorf("got %+v, %v", found, err)
		}
		ask(t, "notes", "/", "one")
	})
	t.Run("it is there again after all were taken off", func(t *testing.T) {
		if err := p.engine.UnmountVolumes(); err != nil {
			t.Fatal(err)
		}
		if err := p.engine.MountVolumes(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.live("notes", p.upload(map[string]string{"app.py": notes}))
		ask(t, "notes", "/", "one")
	})
	t.Run("one that cannot be is refused", func(t *testing.T) {
		err := p.AddVolume(t.Context(), paas.DefaultTenant, "notes", paas.Volume{Path: "../other", Size: 16 << 20})
		if err == nil || !strings.Contains(err.Error(), "name a folder below the app's source") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("it goes with its app", func(t *testing.T) {
		if err := p.Delete(t.Context(), paas.DefaultTenant, "notes"); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(filepath.Join(p.Data, "volumes", paas.DefaultTenant)); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	})
	const declared = "volumes: {instance: 16MiB}\nrelease: flask init-db\n"
	t.Run("kurama.yaml has it made, and each release make its tables", func(t *testing.T) {
		rel := p.live("declared", p.upload(map[string]string{"app.py": notes, "kurama.yaml": declared, "instance/seed.txt": "shipped"}))
		ask(t, "declared", "/", "")
		if exit := run("declared", "cat", "instance/seed.txt"); exit != 0 || strings.Join(log, "") != "shipped" {
			t.Errorf("exit %d: %q", exit, log)
		}
		lines, err := p.store.BuildLog(t.Context(), rel.Tenant, rel.App, rel.Number, 0)
		if err != nil {
			t.Fatal(err)
		}
		said := ""
		for _, l := range lines {
			said += l.Line + "\n"
		}
		for _, want := range []string{"Added a volume of 16MiB at `instance`; it outlives releases and restarts.", "Running `flask init-db`.", "tables made"} {
			if !strings.Contains(said, want) {
				t.Errorf("the build log lacks %q:\n%s", want, said)
			}
		}
	})
	t.Run("a release whose command fails never serves, and says why", func(t *testing.T) {
		before := p.app("declared").Release
		rel := p.deploy("declared", p.upload(map[string]string{"app.py": notes, "Procfile": "release: echo half; exit 3\n"}))
		if rel.State != paas.ReleaseFailed || rel.Reason != "The release command `echo half; exit 3` ended with exit code 3. It wrote last:\nhalf" {
			t.Errorf("got %s %q", rel.State, rel.Reason)
		}
		if now := p.app("declared").Release; now != before {
			t.Errorf("release %d is live, it was %d", now, before)
		}
		ask(t, "declared", "/", "")
	})
}
