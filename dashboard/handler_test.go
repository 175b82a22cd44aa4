package dashboard

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestWhoMayWatchWhat(t *testing.T) {
	cfg := settings()
	cfg.MaxClients = 1
	f := setup(t, startStream(t), cfg, nil)
	check := func(person, query, origin string, want int) {
		t.Helper()
		h := http.Header{}
		if origin != "" {
			h.Set("Origin", origin)
		}
		conn, res, err := f.dial(person, query, h)
		if conn != nil {
			_ = conn.Close()
			f.poll("the client is gone", func() bool { return f.server.open.Load() == 0 })
		}
		if res == nil || res.StatusCode != want {
			t.Errorf("%s, %q from %q: %v %v, not %d", person, query, origin, res, err, want)
		}
	}
	own := "http://" + f.server.Addr().String()
	check("nobody", "app=hello", "", 401)
	check("ann", "app=hello", "", 101)
	check("ann", "app=hello", own, 101)
	check("ann", "app=hello", "http://127.0.0.1:5001", 101)
	check("ann", "app=hello", "http://localhost:5005", 101)
	check("ann", "app=hello", "http://127.0.0.1:8080", 403)
	check("ann", "app=hello", "http://evil.example", 403)
	check("ann", "app=hello", "null", 403)
	check("ann", "app=secret", "", 404)
	check("ann", "app=hello&tenant=bee", "", 404)
	check("ann", "tenant=acme", "", 101)
	check("ops", "app=secret&tenant=bee", "", 101)
	check("ops", "app=secret", "", 404)

	open := f.watch("ann", "app=hello")
	open.read()
	check("ann", "app=hello", "", 503)
}

func TestPagesAndAnswers(t *testing.T) {
	f := setup(t, startStream(t), settings(), nil)
	get := func(path, person string) (*http.Response, string) {
		t.Helper()
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+f.server.Addr().String()+path, nil)
		req.Header.Set("Authorization", "Bearer "+person)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		return res, string(body)
	}
	res, body := get("/", "nobody")
	if res.StatusCode != 200 || !strings.Contains(body, "id=app") || res.Header.Get("Content-Security-Policy") != "default-src 'self'" ||
		res.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("/ is %d %q with %v", res.StatusCode, body, res.Header)
	}
	if res, body := get("/api/apps", "ann"); res.StatusCode != 200 || strings.TrimSpace(body) != `{"apps":["hello","shop"]}` {
		t.Errorf("/api/apps is %d %s", res.StatusCode, body)
	}
	if res, body := get("/api/session", "ops"); strings.TrimSpace(body) != `{"user":"ops","role":"operator","tenant":"default","csrf":"token",`+
		`"dashboard_url":"http://localhost:5005","console_url":"http://127.0.0.1:5001","router_port":8080,"domain":"localhost"}` {
		t.Errorf("/api/session is %d %s", res.StatusCode, body)
	}
	res, body = get("/api/session", "nobody")
	var p struct {
		Status  int
		Detail  string
		Console string `json:"console_url"`
	}
	if json.Unmarshal([]byte(body), &p) != nil || p.Status != 401 || p.Console != "http://127.0.0.1:5001" || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("without a session: %d %s", res.StatusCode, body)
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		if res, _ := get(path, "nobody"); res.StatusCode != 200 {
			t.Errorf("%s is %d", path, res.StatusCode)
		}
	}
}

func TestAStopSaysGoodbye(t *testing.T) {
	f := setup(t, startStream(t), settings(), nil)
	p := f.watch("ann", "app=hello")
	p.read()
	f.server.stop()
	_ = p.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		if _, _, err := p.conn.ReadMessage(); err != nil {
			if !strings.Contains(err.Error(), "1001") {
				t.Errorf("the client was told %v", err)
			}
			return
		}
	}
}

func TestNoRouteShowsAnothersData(t *testing.T) {
	f := setup(t, startStream(t), settings(), nil)
	get := func(path, person string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+f.server.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+person)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	for path := range f.server.routes() {
		t.Run(path, func(t *testing.T) {
			if got := get(path+"?app=hello", "nobody"); got != 401 {
				t.Errorf("nobody gets %d", got)
			}
			if got := get(path+"?app=hello", "deployer"); got != 403 {
				t.Errorf("a token that is not for reading gets %d", got)
			}
			if path == "/api/session" {
				return
			}
			if got := get(path+"?tenant=bee&app=secret", "ann"); got != 404 {
				t.Errorf("another tenant gets %d", got)
			}
			if path == "/api/apps" {
				return
			}
			if got := get(path+"?app=secret", "ann"); got != 404 {
				t.Errorf("another tenant's app is told with %d", got)
			}
			for _, query := range []string{"", "?app=other"} {
				if got := get(path+query, "hellos"); got != 404 {
					t.Errorf("a token of one app gets %d with %q", got, query)
				}
			}
		})
	}
}
