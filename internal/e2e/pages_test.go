package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kurama/examples"
)

// Apps that a page has to cope with.
const (
	brokenRequirements = "flask\nflask-no-such-thing>=9\n"

	dyingApp = `import os
from flask import Flask

app = Flask(__name__)

@app.get("/")
def index():
    return "still here"

@app.get("/die")
def die():
    os._exit(3)
`
	hostileApp = `import logging
from flask import Flask

app = Flask(__name__)
log = logging.getLogger("hostile")
log.setLevel(logging.INFO)
LINES = [
    '<img class="from-log" src=x onerror="window.hacked=1">',
    '<script data-from-log>window.hacked=1</script><b class="from-log">bold</b>',
    "\x1b[1;31mred\x1b[0m and not \x1b]0;title\x07 \x1b[2J",
    "x" * 60000,
    "many " * 3000,
    "\u202eevil\u202c \u05e9\u05dc\u05d5\u05dd right to left \u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "a\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308" * 200,
    "nul \x00 bell \x07 back \x08\x08 return \r over",
    "first\nsecond\n" + "\n" * 500,
    "{{7*7}} ${7*7} </textarea></pre><!--",
]

@app.get("/")
def index():
    for line in LINES:
        log.info("%s", line)
    try:
        raise ValueError('<b class="from-log">in a traceback</b>')
    except ValueError:
        log.exception("</pre><h1 class='from-log'>failed</h1>")
    return "written"
`
)

// TestPages looks at every page in a browser, against the real program, with
// apps that do well, apps that do not, and two tenants.
func TestPages(t *testing.T) {
	p := sharedPlatform(t)
	furnish(t, p)

	t.Run("each page passes axe in light and dark, fits its window and is light to load", func(t *testing.T) {
		browse(t, p, "everypage.mjs", "APP=tour", "LOOKS="+os.Getenv("LOOKS"))
	})
	t.Run("someone who reads nothing gets to a live app, a moving chart and a test mail within three minutes", func(t *testing.T) {
		p.must(t, "tenants", "add", "newcomer")
		browse(t, p, "newuser.mjs", "TENANT=newcomer")
	})
	t.Run("the dashboard goes back in time and returns", func(t *testing.T) {
		browse(t, p, "past.mjs", "APP=storefront", "TENANT=acme")
	})
	t.Run("a load test is begun, watched, stopped and its report downloaded", func(t *testing.T) {
		browse(t, p, "load.mjs", "APP=tour")
	})
	t.Run("a flame graph is sampled at the press of a button, zoomed and searched", func(t *testing.T) {
		browse(t, p, "flame.mjs", "APP=tour")
	})
	t.Run("an invitation's link lets somebody in, once", func(t *testing.T) {
		browse(t, p, "invite.mjs", "NAME=invited-ann")
	})
	t.Run("a share link shows one app's live view without an account, until it is taken back", func(t *testing.T) {
		browse(t, p, "share.mjs", "APP=tour")
	})
	t.Run("a dropped folder is deployed without its caches", func(t *testing.T) {
		folder := writeApp(t, map[string]string{"app.py": dyingApp, "requirements.txt": "flask\n", "static/a.txt": "a",
			"__pycache__/app.pyc": "x", ".git/HEAD": "x", ".venv/bin/python": "x"})
		browse(t, p, "drop.mjs", "APP=dropped", "FOLDER="+folder, "SAYS=3 files")
	})
	t.Run("a canary is promoted, and its row never says what is not so", func(t *testing.T) {
		p.must(t, "deploy", writeApp(t, version("2")), "--app", "dropped", "--canary", "20")
		browse(t, p, "canary.mjs", "APP=dropped")
	})
	t.Run("hostile log lines stay text and break no layout", func(t *testing.T) {
		p.must(t, "deploy", writeApp(t, map[string]string{"app.py": hostileApp}), "--app", "hostile")
		must(t, get(p.host("hostile")))
		browse(t, p, "hostile.mjs", "APP=hostile", "LINES=11")
	})
	t.Run("a thousand records a second freeze neither the dashboard nor the live tail", func(t *testing.T) {
		done := make(chan string)
		go func() {
			out, err := p.cli("reqsim", "--app", "tour", "--stream", "60000", "--rate", "1000", "--config", p.config, "--data", p.data)
			if err != nil {
				out += err.Error()
			}
			done <- out
		}()
		browse(t, p, "flood.mjs", "APP=tour", "SECONDS=15")
		if out := <-done; !strings.Contains(out, "60000 acknowledged") {
			t.Errorf("the flood: %s", out)
		}
	})
}

// furnish deploys what the pages show. TRAFFIC is how long requests are sent;
// pictures for people want minutes, a test is content with less.
func furnish(t *testing.T, p *platform) {
	t.Helper()
	tour := t.TempDir()
	must(t, os.CopyFS(tour, examples.Hello()))
	p.must(t, "deploy", tour, "--app", "tour")
	must(t, os.WriteFile(filepath.Join(tour, "NEWS"), []byte("second release\n"), 0o600))
	p.must(t, "env", "tour", "set", "GREETING=hi", "SECRET_KEY=of-the-tour")
	p.must(t, "deploy", tour, "--app", "tour")
	if out, err := p.cli("deploy", writeApp(t, map[string]string{"app.py": dyingApp, "requirements.txt": brokenRequirements}), "--app", "broken"); err == nil {
		t.Fatalf("an app that cannot be built was deployed: %s", out)
	}
	p.must(t, "deploy", writeApp(t, map[string]string{"app.py": dyingApp}), "--app", "crashing")
	_ = get(p.host("crashing") + "/die")
	p.must(t, "tenants", "add", "acme")
	p.must(t, "deploy", writeApp(t, version("1")), "--app", "storefront", "--tenant", "acme")
	p.must(t, "tokens", "add", "laptop")
	p.must(t, "alerts", "add", "tour", "--when", "p95 > 150 ms", "--for", "2s", "--to", "ops@example.org")
	p.must(t, "alerts", "add", "tour", "--when", "cpu > 90", "--for", "1m", "--to", "ops@example.org")

	traffic := 8 * time.Second
	if text := os.Getenv("TRAFFIC"); text != "" {
		var err error
		traffic, err = time.ParseDuration(text)
		must(t, err)
	}
	sampled := make(chan error, 1)
	go func() { // meanwhile, so that its page has a flame graph
		_, err := p.cli("profile", "tour", "--for", "4s")
		sampled <- err
	}()
	p.must(t, "reqsim", "--app", "tour", "--shape", "sine", "--rate", "10", "--peak", "30", "--period", "2m", "--duration", traffic.String(),
		"--path", "/=20", "--path", "/user/ann=12", "--path", "/slow?ms=120=6", "--path", "/work?ms=20=6", "--path", "/log=3", "--path", "/error=1", "--path", "/nowhere=1")
	must(t, <-sampled)
}
