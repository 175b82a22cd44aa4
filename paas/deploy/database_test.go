package deploy_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"kurama/internal/postgres/pgtest"
	"kurama/paas"
)

// knocks asks the databases' server to let it in, as PostgreSQL's protocol does
// (https://www.postgresql.org/docs/current/protocol-message-formats.html), and
// says how that is answered: R asks for a password, E refuses.
const knocks = `import os, socket, struct
from flask import Flask
app = Flask(__name__)
@app.get("/")
def index():
    return os.environ.get("DATABASE_URL", "none")
@app.get("/knock/<user>/<name>")
def knock(user, name):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    try:
        s.connect("/run/postgresql/.s.PGSQL.5432")
    except OSError as e:
        return e.strerror
    body = struct.pack("!i", 196608) + b"".join(w.encode() + b"\0" for w in ("user", user, "database", name, ""))
    s.sendall(struct.pack("!i", len(body) + 4) + body)
    return s.recv(1).decode()
@app.get("/write")
def write():
    try:
        open("/run/postgresql/mine", "w")
    except OSError as e:
        return e.strerror
    return "written"
`

func TestDatabaseOfAnApp(t *testing.T) {
	p := newPlatform(t, nil)
	p.run()
	ask := func(app, path, want string) {
		t.Helper()
		if status, body := p.get(app, path); status != 200 || body != want {
			t.Errorf("%s: GET %s: %d %q, want %q", app, path, status, body, want)
		}
	}
	databaseOf := func(app string) paas.Database {
		t.Helper()
		d, err := p.store.Database(t.Context(), paas.DefaultTenant, app)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	open := func(d paas.Database) *pgx.Conn {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), strings.Replace(d.URL(), "host="+paas.DatabaseFolder, "host="+url.QueryEscape(pgtest.NewApps().Socket), 1))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		return conn
	}
	const declared = "database: true\nrelease: test -n \"$DATABASE_URL\" && test -S /run/postgresql/.s.PGSQL.5432 && echo has it\n"
	shop := p.live("shop", p.upload(map[string]string{"app.py": knocks, "kurama.yaml": declared}))
	mine := databaseOf("shop")

	t.Run("kurama.yaml has it made before the release command, and replicas find it", func(t *testing.T) {
		ask("shop", "/", mine.URL())
		ask("shop", "/knock/"+mine.Login()+"/"+mine.Name, "R")
		lines, err := p.store.BuildLog(t.Context(), shop.Tenant, shop.App, shop.Number, 0)
		if err != nil {
			t.Fatal(err)
		}
		said := ""
		for _, l := range lines {
			said += l.Line + "\n"
		}
		if !strings.Contains(said, "Made a Postgres database; its address is in DATABASE_URL.\n") || !strings.Contains(said, "has it\n") || strings.Contains(said, mine.Password) {
			t.Errorf("the build log:\n%s", said)
		}
		if rel, err := p.store.Release(t.Context(), shop.Tenant, shop.App, shop.Number); err != nil || rel.Env[paas.DatabaseVariable] != "" {
			t.Errorf("the release keeps the password: %v", err)
		}
	})
	t.Run("the next release and a command find the same", func(t *testing.T) {
		if _, err := open(mine).Exec(t.Context(), `CREATE TABLE kept AS SELECT 7 AS n`); err != nil {
			t.Fatal(err)
		}
		p.live("shop", p.upload(map[string]string{"app.py": knocks + "# changed\n", "kurama.yaml": declared}))
		ask("shop", "/", mine.URL())
		var n int
		if err := open(databaseOf("shop")).QueryRow(t.Context(), `SELECT n FROM kept`).Scan(&n); err != nil || n != 7 {
			t.Errorf("got %d, %v", n, err)
		}
		var said []string
		exit, err := p.RunCommand(t.Context(), paas.DefaultTenant, "shop", []string{"printenv", "DATABASE_URL"}, func(_, line string) { said = append(said, line) })
		if err != nil || exit != 0 || strings.Join(said, "") != mine.URL() {
			t.Errorf("exit %d, %v: %d lines", exit, err, len(said))
		}
	})
	t.Run("who has none does not reach the server, who has one does not get into another's", func(t *testing.T) {
		p.live("none", p.upload(map[string]string{"app.py": knocks}))
		ask("none", "/", "none")
		ask("none", "/knock/"+mine.Login()+"/"+mine.Name, "No such file or directory")
		p.live("other", p.upload(map[string]string{"app.py": knocks, "kurama.yaml": "database: postgres\n"}))
		theirs := databaseOf("other")
		ask("other", "/knock/"+theirs.Login()+"/"+theirs.Name, "R")
		ask("other", "/knock/"+theirs.Login()+"/"+mine.Name, "E")
		ask("other", "/knock/postgres/"+mine.Name, "E")
		ask("other", "/write", "Read-only file system")
	})
	t.Run("a setting of the app's own comes first", func(t *testing.T) {
		if err := p.store.SetEnv(t.Context(), paas.DefaultTenant, "other", map[string]string{paas.DatabaseVariable: "sqlite://"}); err != nil {
			t.Fatal(err)
		}
		rel, err := p.Redeploy(t.Context(), paas.DefaultTenant, "other", "tester")
		if err != nil {
			t.Fatal(err)
		}
		p.ended(rel)
		ask("other", "/", "sqlite://")
	})
	t.Run("it goes with its app", func(t *testing.T) {
		for _, app := range []string{"shop", "other", "none"} {
			if err := p.Delete(t.Context(), paas.DefaultTenant, app); err != nil {
				t.Fatal(err)
			}
		}
		dsn, err := pgtest.NewApps().Address("postgres")
		if err != nil {
			t.Fatal(err)
		}
		admin, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = admin.Close(context.Background()) })
		var left int
		if err := admin.QueryRow(t.Context(), `SELECT count(*) FROM pg_database WHERE datname = $1`, mine.Name).Scan(&left); err != nil || left > 0 {
			t.Errorf("%d, %v", left, err)
		}
	})
}
