package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"kurama/examples"
	"kurama/internal/smtptest"
)

// pictures is where the browser tests leave their screenshots.
const pictures = "../../test-results"

// TestAcceptance walks the five paths that people come for, in a browser,
// against the real program and a real mail server.
func TestAcceptance(t *testing.T) {
	mail := smtptest.Start(t, "127.0.0.1:0")
	p, err := newPlatform(fmt.Sprintf("smtp: {host: 127.0.0.1, port: %d, tls: none, from: kurama@example.org}\n", mail.Addr.Port))
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(p.data) })
	must(t, p.start())
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	})
	download := filepath.Join(t.TempDir(), "archive.jsonl")

	if !t.Run("upload, open, watch, alert and download work in a browser", func(t *testing.T) {
		browse(t, p, "acceptance.mjs", "ARCHIVE="+zipped(t), "DOWNLOAD="+download)
	}) {
		return // the rest looks at what this left
	}
	t.Run("the mail says which app, which condition and which value, to the address given", func(t *testing.T) {
		m := awaitMail(t, mail, `(?m)^Subject: greeter: requests`)
		if !strings.Contains(m, "RCPT TO:<ops@example.org>") || !regexp.MustCompile(`Subject: greeter: requests \d+ > 10`).MatchString(m) {
			t.Errorf("%.1500s", m)
		}
	})
	t.Run("the downloaded archive holds the same records as Postgres", func(t *testing.T) { sameAsPostgres(t, p, download) })
	t.Run("the autoscaler adds a replica under load and takes it away again", func(t *testing.T) { scaleUpAndDown(t, p) })
}

// browse runs one of the browser scripts of web/e2e.
func browse(t *testing.T, p *platform, script string, env ...string) {
	t.Helper()
	folder, err := filepath.Abs(pictures)
	must(t, err)
	cmd := exec.CommandContext(t.Context(), "node", "e2e/"+script)
	cmd.Dir = "../../web"
	cmd.Env = append(os.Environ(), "CONSOLE="+p.console+"/", "DASHBOARD="+p.dashboard+"/", "ROUTER="+p.router, "APP=greeter",
		"ACCOUNT="+p.user, "PASSWORD="+p.password, "PICTURES="+folder)
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("%s: %v (pictures in %s)\nplatform:\n%s", script, err, folder, p.out)
	}
}

// zipped packs the demo app as a user would.
func zipped(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.CopyFS(filepath.Join(dir, "greeter"), examples.Hello()))
	path := filepath.Join(dir, "greeter.zip")
	cmd := exec.Command("python3", "-m", "zipfile", "-c", path, "greeter")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	return path
}

func sameAsPostgres(t *testing.T, p *platform, path string) {
	f, err := os.Open(path)
	must(t, err)
	defer func() { _ = f.Close() }()
	archived := map[string]string{}
	var last time.Time
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r struct {
			ID, Msg, App string
			TS           time.Time
		}
		must(t, json.Unmarshal(lines.Bytes(), &r))
		if archived[r.ID] != "" {
			t.Errorf("%s is there twice", r.ID)
		}
		archived[r.ID] = r.Msg + " "
		if r.TS.After(last) {
			last = r.TS
		}
	}
	must(t, lines.Err())
	rows, err := p.pool(t).Query(t.Context(), `SELECT id::text, msg FROM records WHERE tenant = 'default' AND app = 'greeter' AND ts <= $1`, last)
	must(t, err)
	defer rows.Close()
	stored := 0
	for rows.Next() {
		var id, msg string
		must(t, rows.Scan(&id, &msg))
		stored++
		if archived[id] != msg+" " {
			t.Errorf("record %s is %q in Postgres and %q in the archive", id, msg, archived[id])
		}
	}
	if stored != len(archived) || stored < 400 {
		t.Errorf("%d rows in Postgres, %d records in the archive", stored, len(archived))
	}
}

// scaleUpAndDown sends more work than one replica can do, with short windows.
func scaleUpAndDown(t *testing.T, p *platform) {
	p.must(t, "scaling", "greeter", "--min", "1", "--max", "2", "--load-window", "10", "--time-window", "10", "--cooldown", "1", "--time-up", "10000",
		"--load-up", "40", "--load-down", "10") // low: other tests may hold the processor
	seen := make(chan struct{})
	go func() {
		defer close(seen)
		browse(t, p, "scaling.mjs")
	}()
	out := p.must(t, "reqsim", "--app", "greeter", "--path", "/work?ms=40", "--rate", "40", "--duration", "15s", "--json")
	t.Logf("%s", out)
	<-seen
	var d struct {
		Decisions []struct {
			From, To int
			Reason   string
		}
	}
	must(t, json.Unmarshal([]byte(p.must(t, "decisions", "greeter", "--json")), &d))
	var moves []string
	for _, x := range d.Decisions {
		moves = append(moves, fmt.Sprintf("%d → %d", x.From, x.To))
		t.Log(x.Reason)
	}
	if got := strings.Join(moves, ", "); got != "2 → 1, 1 → 2" { // newest first
		t.Errorf("decisions: %s", got)
	}
}
