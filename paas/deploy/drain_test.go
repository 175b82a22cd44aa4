package deploy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/paas"
)

// abrupt is an app that ends at once on SIGTERM, whatever it is doing: a request
// survives only where the signal comes after it.
const abrupt = `import http.server, os, signal, time
signal.signal(signal.SIGTERM, lambda *_: os._exit(3))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep({"/slow": 4, "/endless": 50}.get(self.path, 0))
        body = b"v%d"
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    do_POST = do_GET
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Handler).serve_forever()
`

func TestDrain(t *testing.T) {
	p := newPlatform(t, func(c *config.Config) { c.App.DrainTimeout = 8 * time.Second })
	door := newDoor(t, p)
	p.run()
	version := func(n int) paas.Upload {
		return p.upload(map[string]string{"server.py": fmt.Sprintf(abrupt, n), "Procfile": "web: python3 server.py\n"})
	}
	p.live("slow", version(1))

	// outlived counts the slow visits that began before a moment and ended after it.
	outlived := func(visits []visit, at time.Time) (n int) {
		for _, v := range visits {
			if v.began.Before(at) && v.ended.After(at) {
				n++
			}
		}
		return n
	}
	t.Run("requests of several seconds survive a deploy", func(t *testing.T) {
		slow, quick := door.visitors("slow", "/slow", 6), door.visitors("slow", "/", 1)
		former := p.busy("slow", 1)[0]
		p.live("slow", version(2))
		switched := time.Now()
		p.until(20*time.Second, "the former replica is gone", func() bool {
			own := p.containers("slow")
			return len(own) == 1 && own[0].ID != former.ID
		})
		visits := slow()
		served(t, visits)
		served(t, quick())
		ofFormer := 0
		for _, v := range visits {
			if v.body == "v1" && v.ended.After(switched) {
				ofFormer++
			}
		}
		if ofFormer == 0 {
			t.Error("no request was in flight on the former replica at the switch: this has shown nothing")
		}
	})
	t.Run("requests of several seconds survive a scale-down", func(t *testing.T) {
		slow := door.visitors("slow", "/slow", 9)
		scale := func(n int) {
			t.Helper()
			if err := p.store.SetDesired(t.Context(), paas.DefaultTenant, "slow", n); err != nil {
				t.Fatal(err)
			}
		}
		scale(3)
		p.busy("slow", 3)
		scale(1)
		at := time.Now()
		p.until(30*time.Second, "one replica is left", func() bool { return len(p.containers("slow")) == 1 })
		visits := slow()
		served(t, visits)
		if outlived(visits, at) == 0 {
			t.Error("no request was in flight when two replicas were to go: this has shown nothing")
		}
	})
	t.Run("requests of several seconds survive a restart", func(t *testing.T) {
		slow := door.visitors("slow", "/slow", 3)
		former := p.busy("slow", 1)[0]
		at := time.Now()
		if err := p.store.RequestRestart(t.Context(), paas.DefaultTenant, "slow"); err != nil {
			t.Fatal(err)
		}
		p.until(30*time.Second, "another replica serves alone", func() bool {
			own := p.containers("slow")
			return len(own) == 1 && own[0].ID != former.ID
		})
		visits := slow()
		served(t, visits)
		if outlived(visits, at) == 0 {
			t.Error("no request was in flight at the restart: this has shown nothing")
		}
	})
	t.Run("a request that outlives the drain is cut, and that is told", func(t *testing.T) {
		endless := make(chan error)
		// The router sends a GET to another replica when one is lost; a POST it cannot.
		go func() { _, err := door.ask(t.Context(), "POST", "slow", "/endless"); endless <- err }()
		p.busy("slow", 1)
		rel := p.live("slow", version(3))
		if err := <-endless; err == nil || !strings.Contains(err.Error(), "502") {
			t.Errorf("the client got %v", err)
		}
		p.until(5*time.Second, "the build log tells", func() bool {
			lines, err := p.store.BuildLog(t.Context(), rel.Tenant, rel.App, rel.Number, 0)
			if err != nil {
				t.Fatal(err)
			}
			last := lines[len(lines)-1]
			return last.Step == "drain" && last.Line == "1 request of the former replicas did not end within 8s and was cut."
		})
	})
}
