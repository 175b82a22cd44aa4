package e2e

import (
	"context"
	"embed"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

//go:embed hostile/app.py
var hostileFiles embed.FS

const neighbourApp = `import logging
from flask import Flask
app = Flask(__name__)
log = logging.getLogger("neighbour")
@app.get("/n/<int:n>")
def number(n):
    log.warning("neighbour %d", n)
    return str(n)
`

// neighbourSecret is what the hostile app looks for.
const neighbourSecret = "fox7d41c0ffee"

// TestHostileApps has an app try whatever an app must not be able to do, in a
// real replica, while another tenant's app serves: no request of the neighbour
// fails and none of its records is missing at the end.
func TestHostileApps(t *testing.T) {
	p := sharedPlatform(t)
	h := newHostility(t, p)
	ctx, cancel := context.WithCancel(t.Context())
	var served, failed int
	var serving sync.WaitGroup
	serving.Go(func() { served, failed = h.serve(ctx) })
	t.Cleanup(func() { cancel(); serving.Wait() })

	t.Run("a fork bomb ends at its bound", func(t *testing.T) {
		got := tries[struct {
			Processes int
			Failed    string
		}](t, h, "/fork")
		if got.Failed != "EAGAIN" || got.Processes < 10 || got.Processes > 128 {
			t.Errorf("%+v", got)
		}
	})
	t.Run("a process that takes memory without end is ended, and no other", func(t *testing.T) {
		if got := tries[struct{ Killed bool }](t, h, "/memory"); !got.Killed {
			t.Errorf("%+v", got)
		}
	})
	t.Run("no folder can be filled beyond its size", func(t *testing.T) {
		for folder, got := range tries[map[string][2]any](t, h, "/fill") {
			if n, _ := got[0].(float64); got[1] != "ENOSPC" || n < 1 || n > 70 {
				t.Errorf("%s: %v MiB, %v", folder, got[0], got[1])
			}
		}
	})
	t.Run("open files end at their bound", func(t *testing.T) {
		got := tries[struct {
			Open   int
			Failed string
		}](t, h, "/files")
		if got.Failed != "EMFILE" || got.Open > 4096 {
			t.Errorf("%+v", got)
		}
	})
	t.Run("burning CPU leaves the neighbour its part", func(t *testing.T) { tries[struct{}](t, h, "/burn?seconds=1") })
	t.Run("a flood on stdout does not fill the disk", func(t *testing.T) {
		tries[struct{}](t, h, "/flood?seconds=1")
		files, err := filepath.Glob("/var/lib/docker/containers/" + h.container + "*/*-json.log*")
		must(t, err)
		var size int64
		for _, f := range files {
			if info, err := os.Stat(f); err == nil {
				size += info.Size()
			}
		}
		if len(files) == 0 || size > 24<<20 {
			t.Errorf("%d files, %d bytes", len(files), size)
		}
	})
	t.Run("neither neighbours nor the host nor metadata are reached", func(t *testing.T) {
		if got := tries[struct{ Reached []string }](t, h, "/reach?"+url.Values{"to": h.forbidden(t)}.Encode()); len(got.Reached) > 0 {
			t.Errorf("reached: %v", got.Reached)
		}
	})
	t.Run("on its own bridge the router serves it the apps of its tenant alone", func(t *testing.T) {
		for host, want := range map[string]int{"hostile.internal": 200, "neighbour.internal": 404, "neighbour." + h.tenant + ".internal": 404,
			"neighbour." + h.tenant + ".localhost": 404, "hostile.localhost": 404, "localhost": 404, "169.254.169.254": 404} {
			if got := tries[struct{ Status int }](t, h, "/ask?host="+host); got.Status != want {
				t.Errorf("%s: %d", host, got.Status)
			}
		}
	})
	t.Run("no secret of another tenant is in any file, and no other process is seen", func(t *testing.T) {
		got := tries[struct {
			Found     []string
			Looked    int
			Processes []string
		}](t, h, "/search?text="+neighbourSecret)
		if len(got.Found) > 0 || got.Looked < 500 || len(got.Processes) > 10 {
			t.Errorf("%+v", got)
		}
	})
	t.Run("system calls that lead out are refused", func(t *testing.T) {
		for call, refused := range tries[map[string]*string](t, h, fmt.Sprintf("/calls?pid=%d", os.Getpid())) {
			if refused == nil {
				t.Errorf("%s went through", call)
			}
		}
	})
	t.Run("nothing outside its own folders is written, and nothing of the kernel or the engine is read", func(t *testing.T) {
		for what, refused := range tries[map[string]*string](t, h, "/writes") {
			if refused == nil {
				t.Errorf("%s was possible", what)
			}
		}
	})
	t.Run("an archive with a link is refused", func(t *testing.T) {
		folder := t.TempDir()
		must(t, os.Symlink("/etc/shadow", filepath.Join(folder, "app.py")))
		archive := filepath.Join(t.TempDir(), "app.tar.gz")
		out, err := exec.Command("tar", "-czf", archive, "-C", folder, "app.py").CombinedOutput()
		if err != nil {
			t.Fatalf("%v %s", err, out)
		}
		if out, err := p.cli("deploy", archive, "--app", "hostile"); err == nil || !strings.Contains(out, "a symbolic link") {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("records that claim to be another's are its own", func(t *testing.T) {
		tries[struct{}](t, h, "/forge?tenant="+h.tenant+"&app=neighbour")
		h.forged(t)
	})
	t.Run("it still serves, and has not been started anew", func(t *testing.T) {
		tries[struct{}](t, h, "/burn?seconds=0")
		if now := h.replica(t, "hostile", "default"); now.ID != h.container {
			t.Errorf("another container serves: %s, not %s", now.ID, h.container)
		}
	})
	cancel()
	serving.Wait()
	t.Run("no request of the neighbour failed, and each has its two records", func(t *testing.T) {
		if failed > 0 || served < 50 {
			t.Errorf("%d of %d failed", failed, served)
		}
		h.complete(t, served)
	})
}
