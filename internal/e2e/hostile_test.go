package e2e

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
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

// hostility is two tenants' apps, of which one is hostile.
type hostility struct {
	*platform
	tenant    string // of the neighbour
	container string // of the hostile app
}

func newHostility(t *testing.T, p *platform) *hostility {
	t.Helper()
	h := &hostility{platform: p, tenant: "victim"}
	p.must(t, "tenants", "add", h.tenant)
	source, err := hostileFiles.ReadFile("hostile/app.py")
	must(t, err)
	p.must(t, "deploy", writeApp(t, map[string]string{"app.py": neighbourApp, "secret.txt": neighbourSecret}), "--app", "neighbour", "--tenant", h.tenant)
	p.must(t, "env", "neighbour", "set", "SECRET="+neighbourSecret, "--tenant", h.tenant)
	p.must(t, "deploy", writeApp(t, map[string]string{"app.py": string(source), "kurama.yaml": "volumes:\n  kept: 16MiB\n"}), "--app", "hostile")
	t.Cleanup(func() {
		p.must(t, "delete", "hostile", "--yes")
		p.must(t, "delete", "neighbour", "--yes", "--tenant", h.tenant)
	})
	h.container = h.replica(t, "hostile", "default").ID
	return h
}

// found is a container as the engine describes it.
type found struct {
	ID              string
	NetworkSettings struct {
		Networks map[string]struct{ IPAddress, Gateway string }
	}
}

func (h *hostility) replica(t *testing.T, app, tenant string) found {
	t.Helper()
	var all []found
	eventually(t, 20*time.Second, func() error {
		ids, err := exec.Command("docker", "ps", "-q", "--filter", "label=kurama.app="+app, "--filter", "label=kurama.tenant="+tenant,
			"--filter", "label=kurama.kind=replica", "--filter", "label=kurama.instance="+h.instance(t)).Output()
		if err != nil {
			return err
		}
		out, err := exec.Command("docker", append([]string{"inspect"}, strings.Fields(string(ids))...)...).Output()
		if err != nil {
			return fmt.Errorf("%s has no container: %w", app, err)
		}
		all = nil
		return json.Unmarshal(out, &all)
	})
	if i := slices.IndexFunc(all, func(f found) bool { return f.ID == h.container }); i >= 0 {
		return all[i]
	}
	return all[0]
}

func (h *hostility) instance(t *testing.T) string {
	t.Helper()
	id, err := os.ReadFile(filepath.Join(h.data, "instance.id"))
	must(t, err)
	return strings.TrimSpace(string(id))
}

// forbidden are addresses that the hostile app must not reach: the neighbour's,
// the platform's and the host's, on all of its interfaces.
func (h *hostility) forbidden(t *testing.T) []string {
	t.Helper()
	bait, err := net.Listen("tcp4", "0.0.0.0:0")
	must(t, err)
	t.Cleanup(func() { bait.Close() })
	list := []string{"169.254.169.254:80", "100.100.100.200:80"}
	for _, n := range h.replica(t, "neighbour", h.tenant).NetworkSettings.Networks {
		list = append(list, n.IPAddress+":8000")
	}
	addresses, err := net.InterfaceAddrs()
	must(t, err)
	own := ""
	for _, n := range h.replica(t, "hostile", "default").NetworkSettings.Networks {
		own = n.Gateway // where its tenant's apps reach one another
	}
	ports := []string{h.console, h.dashboard, h.router, "http://x:5001", "http://x:5005", "http://x:5432", "http://x:22", "http://" + bait.Addr().String()}
	for _, a := range addresses {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil || !prefix.Addr().Is4() || prefix.Addr().IsLoopback() {
			continue
		}
		for _, address := range ports {
			u, err := url.Parse(address)
			must(t, err)
			if address != h.router || prefix.Addr().String() != own {
				list = append(list, net.JoinHostPort(prefix.Addr().String(), u.Port()))
			}
		}
	}
	return list
}

// tries asks the hostile app to try something.
func tries[T any](t *testing.T, h *hostility, path string) (got T) {
	t.Helper()
	body, err := text(h.host("hostile") + path)
	if err == nil {
		err = json.Unmarshal([]byte(body), &got)
	}
	if err != nil {
		t.Fatalf("%v\n%.500s", err, body)
	}
	return got
}

// serve has the neighbour answer twenty requests a second.
func (h *hostility) serve(ctx context.Context) (served, failed int) {
	base := strings.Replace(h.router, "localhost", "neighbour."+h.tenant+".localhost", 1)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for ; ctx.Err() == nil; served++ {
		if err := get(fmt.Sprintf("%s/n/%d", base, served)); err != nil {
			fmt.Println("the neighbour:", err)
			failed++
		}
		<-tick.C
	}
	return served, failed
}

// forged looks for what the hostile app said in its neighbour's name.
func (h *hostility) forged(t *testing.T) {
	t.Helper()
	pool := h.pool(t)
	eventually(t, 20*time.Second, func() error {
		var own, others, platform int
		err := pool.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE tenant = 'default' AND app = 'hostile' AND release = 1),
			count(*) FILTER (WHERE tenant <> 'default' OR app <> 'hostile' OR release <> 1),
			count(*) FILTER (WHERE extra->>'event' IN ('crashed', 'deployed') OR extra->>'EVENT' IN ('crashed', 'deployed') OR kind IN (1, 3)) FROM records WHERE msg = 'forged'`).Scan(&own, &others, &platform)
		if err == nil && (own != 6 || others+platform > 0) {
			err = fmt.Errorf("%d are its own, %d another's, %d would be the platform's", own, others, platform)
		}
		return err
	})
}

// complete waits for the neighbour's records of each request, both kinds.
func (h *hostility) complete(t *testing.T, served int) {
	t.Helper()
	pool := h.pool(t)
	eventually(t, 30*time.Second, func() error {
		var requests, logs int
		err := pool.QueryRow(t.Context(), `SELECT count(DISTINCT url) FILTER (WHERE kind = 1 AND status = 200), count(DISTINCT msg) FILTER (WHERE kind = 2 AND msg LIKE 'neighbour %')
			FROM records WHERE tenant = $1 AND app = 'neighbour' AND url LIKE '/n/%'`, h.tenant).Scan(&requests, &logs)
		if err == nil && (requests != served || logs != served) {
			err = fmt.Errorf("%d of %d requests and %d of their lines are there", requests, served, logs)
		}
		return err
	})
}
