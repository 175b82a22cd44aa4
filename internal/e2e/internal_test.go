package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const askingApp = `import os, urllib.error, urllib.request
from flask import Flask, request
app = Flask(__name__)

@app.get("/")
def home():
    return "asked by " + request.headers.get("X-Kurama-Caller", "somebody outside")

@app.get("/ask/<name>")
def ask(name):
    try:
        return urllib.request.urlopen("http://%s.internal:%s/" % (name, os.environ["KURAMA_INTERNAL_PORT"]), timeout=5).read()
    except urllib.error.HTTPError as e:
        return "answered %d" % e.code
    except urllib.error.URLError as e:
        return "not reached: %s" % e.reason

@app.get("/self")
def self():
    import socket
    return socket.gethostbyname(socket.gethostname())
`

// TestInternalNames has apps of a tenant reach one another by name, through the
// router: the one that asks was there before the other.
func TestInternalNames(t *testing.T) {
	p := sharedPlatform(t)
	app := writeApp(t, map[string]string{"app.py": askingApp})
	p.must(t, "deploy", app, "--app", "front")
	p.must(t, "deploy", app, "--app", "back")
	t.Cleanup(func() {
		p.must(t, "delete", "front", "--yes")
		p.must(t, "delete", "back", "--yes")
	})
	answers := func(t *testing.T, path, want string) {
		t.Helper()
		eventually(t, 20*time.Second, func() error {
			got, err := text(p.host("front") + path)
			if err == nil && !strings.Contains(got, want) {
				err = fmt.Errorf("%s answers %q, not %q", path, got, want)
			}
			return err
		})
	}
	t.Run("an app is reached by name, and told who asks", func(t *testing.T) { answers(t, "/ask/back", "asked by front") })
	t.Run("one that is private to the outside is open to its tenant", func(t *testing.T) {
		p.must(t, "routing", "back", "--user", "team", "--password", "correct horse battery")
		if _, err := text(p.host("back") + "/"); err == nil || !strings.Contains(err.Error(), "401") {
			t.Errorf("from outside: %v", err)
		}
		answers(t, "/ask/back", "asked by front")
	})
	t.Run("its maintenance holds for all", func(t *testing.T) {
		p.must(t, "routing", "back", "--maintenance", "on")
		answers(t, "/ask/back", "answered 503")
	})
	t.Run("an app of another tenant has no name", func(t *testing.T) { answers(t, "/ask/nobody", "not reached") })
	t.Run("a container still knows its own address", func(t *testing.T) { answers(t, "/self", "10.") })
	t.Run("a command in a container of its own knows the names", func(t *testing.T) {
		if out := p.must(t, "run", "front", "--", "python3", "-c", "import socket; print(socket.gethostbyname('back.internal'))"); !strings.Contains(out, "10.") {
			t.Errorf("got %s", out)
		}
	})
	t.Run("who asks cannot be made up from outside", func(t *testing.T) {
		got, err := text(p.host("front") + "/")
		if err != nil || got != "asked by somebody outside" {
			t.Errorf("%q %v", got, err)
		}
	})
}
