package runtime

import (
	"context"
	"crypto/rand"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kurama/paas"
)

// reacher is an app that tells whether it reaches an address, or resolves a name.
const reacher = `
import http.server, json, os, socket
def hold(where, count):
    held = []
    try:
        while len(held) < count: held.append(socket.create_connection(where, timeout=4))
    except OSError: pass
    for s in held: s.close()
    return len(held)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        what, where = self.path[1:].split("/")
        try:
            if what == "hold": count = hold(tuple(where.rsplit(":", 1)), 60)
            elif what == "resolve": socket.getaddrinfo(where, 80)
            else: socket.create_connection(tuple(where.rsplit(":", 1)), timeout=1).close()
            body = {"reached": True}
        except OSError as e:
            body = {"reached": False, "error": str(e)}
        if what == "hold": body["held"] = count
        body["ipv6"] = os.path.exists("/proc/net/if_inet6") and any(not l.endswith(" lo\n") for l in open("/proc/net/if_inet6"))
        self.send_response(200); self.end_headers(); self.wfile.write(json.dumps(body).encode())
http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Handler).serve_forever()
`

// beyond is a host outside the default network of the engine, on an address of
// the internet, and returns where a service answers there.
func beyond(t *testing.T) string {
	t.Helper()
	name := "kr" + strings.ToLower(rand.Text()[:8])
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	run("netns", "add", name)
	t.Cleanup(func() { run("netns", "delete", name) })
	run("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
	run("address", "add", "198.51.100.1/30", "dev", name)
	run("link", "set", name, "up")
	run("-n", name, "address", "add", "198.51.100.2/30", "dev", "eth0")
	run("-n", name, "link", "set", "eth0", "up")
	run("-n", name, "route", "add", "default", "via", "198.51.100.1")
	server := exec.Command("ip", "netns", "exec", name, "python3", "-m", "http.server", "8123")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	const address = "198.51.100.2:8123"
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			conn.Close()
			return address
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// hostService listens on all of the host's addresses, and returns them.
func hostService(t *testing.T) []string {
	t.Helper()
	service, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { service.Close() })
	_, port, _ := net.SplitHostPort(service.Addr().String())
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && !p.Addr().IsLoopback() {
			found = append(found, net.JoinHostPort(p.Addr().String(), port))
		}
	}
	return found
}

func startReacher(t *testing.T, e *Engine, spec paas.Spec, replica, tenant string) (address string) {
	t.Helper()
	spec.Replica, spec.Tenant = replica, tenant
	c, err := e.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	get(t, c.Address+"/connect/127.0.0.1:8000") // it is up
	return c.Address
}

func reaches(t *testing.T, from, what, where string) bool {
	t.Helper()
	return get(t, from+"/"+what+"/"+where)["reached"].(bool)
}

// reached returns those of the addresses that are reached, tried all at once.
func reached(t *testing.T, from string, addresses []string) []string {
	t.Helper()
	var mu sync.Mutex
	var found []string
	var trying sync.WaitGroup
	for _, address := range addresses {
		trying.Go(func() {
			if reaches(t, from, "connect", address) {
				mu.Lock()
				found = append(found, address)
				mu.Unlock()
			}
		})
	}
	trying.Wait()
	return found
}

func TestEgress(t *testing.T) {
	internet, host := beyond(t), hostService(t)
	if !slices.ContainsFunc(host, func(a string) bool { return strings.HasPrefix(a, "198.51.100.1:") }) {
		t.Fatalf("the host's public address is missing in %v", host)
	}
	e, spec := setup(t, map[string]string{"server.py": reacher})
	one := startReacher(t, e, spec, "web-1-aaaaaa", "default")
	same, other := startReacher(t, e, spec, "web-1-bbbbbb", "default"), startReacher(t, e, spec, "web-1-cccccc", "other")
	forbidden := append([]string{same, other, "169.254.169.254:80"}, host...)
	closed := func(t *testing.T) {
		t.Helper()
		for _, address := range reached(t, one, forbidden) {
			t.Errorf("%s is reached", address)
		}
	}

	t.Run("open reaches the internet, and neither neighbours nor the host on any address", func(t *testing.T) {
		if !reaches(t, one, "connect", internet) {
			t.Error("the internet is not reached")
		}
		closed(t)
	})
	t.Run("there is no way by IPv6", func(t *testing.T) {
		if get(t, one+"/connect/127.0.0.1:8000")["ipv6"] != false {
			t.Error("a replica has an address")
		}
	})
	t.Run("is as before soon after somebody changed the rules", func(t *testing.T) {
		forward, input := e.filter.chains()
		change := func(args ...string) {
			t.Helper()
			if _, err := iptables(t.Context(), "iptables", "", append([]string{"--wait", "5"}, args...)...); err != nil {
				t.Fatal(err)
			}
		}
		for _, flush := range []func(){
			func() { change("-F", forward); change("-F", input) },
			func() { change("-D", "INPUT", "-i", e.filter.interfaces(), "-j", input) },
			func() { change("-D", userChain, "-i", e.filter.interfaces(), "-j", forward) },
		} {
			flush()
			if len(reached(t, one, forbidden)) == 0 {
				t.Error("nothing was open: this has shown nothing")
			}
			e.checkFilter(t.Context())
			closed(t)
		}
	})
	t.Run("is looked at without being asked", func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		_, input := e.filter.chains()
		if _, err := iptables(t.Context(), "iptables", "", "--wait", "5", "-F", input); err != nil {
			t.Fatal(err)
		}
		go func() { done <- e.Guard(ctx) }()
		for end := time.Now().Add(20 * time.Second); reaches(t, one, "connect", host[0]); {
			if time.Now().After(end) {
				t.Fatal("the host stays open")
			}
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Run("a tenant's own policy is in force at once, for it alone, and after a flush", func(t *testing.T) {
		policies := &walls{tenant: "default"}
		e.opts.Walls = policies
		set := func(mode string, allow ...string) {
			t.Helper()
			policies.set(paas.Wall{Egress: paas.Egress{Mode: mode, Allow: allow}})
			if err := e.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		e.outside.lookUp = func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("198.51.100.2"), netip.MustParseAddr("10.0.0.1")}, nil
		}
		expect := func(what string, want bool) {
			t.Helper()
			if got := reaches(t, one, "connect", internet); got != want {
				t.Errorf("%s: the internet is reached: %t", what, got)
			}
			if !reaches(t, other, "connect", internet) {
				t.Errorf("%s: the other tenant does not reach it", what)
			}
			closed(t)
		}
		set(paas.EgressNone)
		expect("none", false)
		set(paas.EgressListed)
		expect("an empty list", false)
		set(paas.EgressListed, "198.51.100.0/24:8123")
		expect("its range and port", true)
		set(paas.EgressListed, "198.51.100.2:443")
		expect("its address with another port", false)
		set(paas.EgressListed, "0.0.0.0/0")
		expect("everything", true)
		set(paas.EgressListed, "api.example.org:8123")
		expect("its name", true)
		if l := e.LookUps("default"); len(l) != 1 || !slices.Equal(l[0].Addresses, []string{"198.51.100.2"}) || !strings.Contains(l[0].Says, "10.0.0.1, which is private") {
			t.Errorf("looked up: %+v", l)
		}
		forward, _ := e.filter.chains()
		if _, err := iptables(t.Context(), "iptables", "", "--wait", "5", "-F", forward); err != nil {
			t.Fatal(err)
		}
		set(paas.EgressListed, "203.0.113.1")
		expect("after a flush", false)
		_, port, _ := net.SplitHostPort(host[0])
		set(paas.EgressListed, host[0])
		if !reaches(t, one, "connect", host[0]) || reaches(t, one, "connect", host[len(host)-1]) {
			t.Errorf("of the host, port %s is not reached on the address listed alone", port)
		}
		policies.set(paas.Wall{})
		if err := e.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		expect("the default again", true)
	})
	t.Run("one replica cannot fill the host's table of connections, and keeps no other from connecting", func(t *testing.T) {
		e.filter.most = 20
		defer func() { e.filter.most = 1024 }()
		if err := e.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if held := get(t, one+"/hold/"+internet)["held"]; held != 20.0 {
			t.Errorf("%v connections of one replica are open at a time", held)
		}
		if !reaches(t, other, "connect", internet) {
			t.Error("another replica cannot connect")
		}
	})
	t.Run("none reaches nothing and resolves nothing, and still answers", func(t *testing.T) {
		e, spec := setupWith(t, "none", map[string]string{"server.py": reacher})
		from := startReacher(t, e, spec, "web-1-dddddd", "default")
		for _, address := range reached(t, from, append([]string{internet}, host...)) {
			t.Errorf("%s is reached", address)
		}
		if reaches(t, from, "resolve", "example.org") {
			t.Error("a name is resolved")
		}
	})
}
