package api_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"kurama/paas"
	"kurama/paas/api"
)

func TestTLS(t *testing.T) {
	w := newWorld(t)
	w.fakes.finish = w.goesLive
	other := httptest.NewTLSServer(nil) // has a certificate for this machine, and a client that trusts it
	t.Cleanup(other.Close)
	listener := w.listen()
	w.serve(w.cfg, tls.NewListener(listener, &tls.Config{Certificates: other.TLS.Certificates, NextProtos: []string{"h2", "http/1.1"}}), nil)
	address := "https://" + listener.Addr().String()
	must(t, first(w.auth.CreateUser(t.Context(), paas.User{Name: "ann", Tenant: "default", Role: paas.RoleDeveloper}, password)))

	t.Run("the cookie is for https alone, and so are the addresses and the browser", func(t *testing.T) {
		resp, err := other.Client().Post(address+"/api/v1/session", "application/json", strings.NewReader(`{"name":"ann","password":"`+password+`"}`))
		must(t, err)
		defer func() { _ = resp.Body.Close() }()
		if s := read[api.Session](t, resp, 200); !strings.HasPrefix(s.DashboardURL, "https://127.0.0.1:") {
			t.Errorf("the dashboard is at %s", s.DashboardURL)
		}
		if c := resp.Cookies(); len(c) != 1 || !c[0].Secure || !c[0].HttpOnly {
			t.Errorf("got %v", c)
		}
		if got := resp.Header.Get("Strict-Transport-Security"); !strings.HasPrefix(got, "max-age=") {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a websocket goes through it", func(t *testing.T) {
		must(t, first(w.store.NewRelease(t.Context(), paas.Release{Tenant: "default", App: "default-app"})))
		roots := x509.NewCertPool()
		roots.AddCert(other.Certificate())
		dialer := websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: roots}}
		conn, _, err := dialer.DialContext(t.Context(), "wss"+strings.TrimPrefix(address, "https")+"/api/v1/apps/default-app/terminal", map[string][]string{"Authorization": {"Bearer " + w.tokens["developer"]}})
		must(t, err)
		defer func() { _ = conn.Close() }()
		must(t, conn.WriteMessage(websocket.TextMessage, []byte(`{"command":["flask"]}`)))
		must(t, conn.WriteMessage(websocket.BinaryMessage, []byte("x")))
		if _, message, err := conn.ReadMessage(); err != nil || string(message) != "\x01x" {
			t.Errorf("got %q, %v", message, err)
		}
	})
	t.Run("git pushes through it", func(t *testing.T) {
		authority := filepath.Join(t.TempDir(), "ca.pem")
		must(t, os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: other.Certificate().Raw}), 0o600))
		remote := strings.Replace(address, "https://", "https://any:"+w.tokens["developer"]+"@", 1) + "/git/default/shop"
		c := newCheckout(t)
		c.env = []string{"GIT_SSL_CAINFO=" + authority}
		if out := c.must("push", remote, "main"); !strings.Contains(out, "shop is live") {
			t.Errorf("got %s", out)
		}
	})
}
