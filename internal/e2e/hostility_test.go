package e2e

import (
	"context"
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
	"testing"
	"time"
)

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
