package router

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"

	"kurama/internal/config"
	"kurama/paas"
)

// authority is a certificate authority that issues by ACME (RFC 8555) to who
// answers its challenges.
type authority struct {
	directory, roots string // address, and the file of its own certificate
	issues           *x509.CertPool
}

// newAuthority starts one that looks for challenges on two ports of this
// machine, whatever the name; port 1 answers nobody.
func newAuthority(t *testing.T, httpPort, tlsPort int) authority {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "0")
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	issuer := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "the only one"}})
	looks := va.New(quiet, httpPort, tlsPort, false, loopbackDNS(t), store)
	front := wfe.New(quiet, store, looks, issuer, []string{"ca.example"}, false, false, 1, 1)
	server := httptest.NewTLSServer(front.Handler())
	t.Cleanup(server.Close)
	roots := filepath.Join(t.TempDir(), "roots.pem")
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(roots, own, 0o600); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(issuer.GetRootCert(0).Cert)
	return authority{directory: server.URL + wfe.DirectoryPath, roots: roots, issues: pool}
}

// loopbackDNS answers each question for an address with 127.0.0.1.
func loopbackDNS(t *testing.T) string {
	t.Helper()
	listener := listen(t)
	server := &dns.Server{Listener: listener, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		a := new(dns.Msg)
		a.SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			a.Answer = append(a.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET},
				A: net.IPv4(127, 0, 0, 1)})
		}
		_ = w.WriteMsg(a)
	})}
	go server.ActivateAndServe()
	t.Cleanup(func() { server.Shutdown() })
	return listener.Addr().String()
}

// secured is a router with an encrypted port and an authority of its own.
type secured struct {
	*bench
	authority
	address string // of the encrypted port
	certs   string // folder
}

// startSecured starts one where the authority finds the challenges of a kind alone.
func startSecured(t *testing.T, plain, alpn bool, change func(*config.Router)) *secured {
	t.Helper()
	public, encrypted := listen(t), listen(t)
	ports := [2]int{1, 1}
	if plain {
		_, ports[0] = hostPort(public)
	}
	if alpn {
		_, ports[1] = hostPort(encrypted)
	}
	a := newAuthority(t, ports[0], ports[1])
	cfg := testConfig()
	cfg.TLS = config.TLS{Listen: encrypted.Addr().String(), Directory: a.directory, Roots: a.roots}
	if change != nil {
		change(&cfg)
	}
	folder := filepath.Join(t.TempDir(), "certificates")
	b := startOn(t, cfg, Options{Listener: public, TLS: encrypted, CertFolder: folder, StatePath: filepath.Join(t.TempDir(), "table.json")})
	return &secured{bench: b, authority: a, address: encrypted.Addr().String(), certs: folder}
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// client speaks HTTP/2 or HTTP/1.1 with hosts that the authority vouches for.
func (s *secured) secureClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: s.issues},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", s.address)
		}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 2 * patience}
}

func (s *secured) mount(t *testing.T, gate paas.Gate, hosts []string, targets ...paas.Target) {
	t.Helper()
	s.version++
	route := paas.Route{Tenant: "default", App: "hello", Hosts: hosts, State: paas.AppRunning, Targets: targets, Gate: gate}
	if err := s.bench.client.Apply(t.Context(), paas.Table{Version: s.version, Routes: []paas.Route{route}}); err != nil {
		t.Fatal(err)
	}
}

func tells(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s %s %s", r.Header.Get("X-Forwarded-Proto"), r.Header.Get("X-Forwarded-Host"), r.URL.Path)
}

func TestCertificates(t *testing.T) {
	for name, kind := range map[string][2]bool{"HTTP-01": {true, false}, "TLS-ALPN-01": {false, true}} {
		t.Run("come by "+name+" when a domain of an app is first asked for", func(t *testing.T) {
			s := startSecured(t, kind[0], kind[1], nil)
			s.mount(t, paas.Gate{}, []string{"shop.example.org"}, replica(t, "r", tells))
			resp, err := s.secureClient(t).Get("https://shop.example.org/cart")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			if resp.ProtoMajor != 2 || string(body) != "https shop.example.org /cart" {
				t.Errorf("%s %q", resp.Proto, body)
			}
			s.ownersAlone(t)
		})
	}
	t.Run("are got for no name that no app has", func(t *testing.T) {
		s := startSecured(t, true, true, nil)
		s.mount(t, paas.Gate{}, []string{"shop.example.org"}, replica(t, "r", tells))
		if resp, err := s.secureClient(t).Get("https://other.example.org/"); err == nil {
			resp.Body.Close()
			t.Error("a stranger's name is served")
		}
		if _, err := os.Stat(filepath.Join(s.certs, "certificates")); err == nil {
			t.Error("the authority was asked")
		}
	})
	t.Run("are not asked for again at once where they could not be got", func(t *testing.T) {
		s := startSecured(t, true, true, nil)
		s.mount(t, paas.Gate{}, []string{"shop.example.org"}, replica(t, "r", tells))
		if pause := s.Router.certs.pause("shop.example.org"); pause != firstPause {
			t.Errorf("pause %s", pause)
		}
		if err := s.Router.certs.decide(t.Context(), "shop.example.org"); err == nil {
			t.Error("asked again at once")
		}
		for range 20 {
			if pause := s.Router.certs.pause("shop.example.org"); pause > longestPause {
				t.Errorf("pause %s", pause)
			}
		}
	})
}

// ownersAlone fails the test for each file that others may read.
func (s *secured) ownersAlone(t *testing.T) {
	t.Helper()
	keys := 0
	err := filepath.WalkDir(s.certs, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if info, err := d.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, %v", path, info.Mode(), err)
		}
		if strings.HasSuffix(path, ".key") {
			keys++
		}
		return nil
	})
	if err != nil || keys < 2 {
		t.Errorf("%d keys, %v", keys, err)
	}
}

func TestSecuredPort(t *testing.T) {
	s := startSecured(t, true, true, nil)
	s.mount(t, paas.Gate{}, []string{"shop.example.org"}, echoReplica(t))
	t.Run("carries websockets", func(t *testing.T) {
		dialer := websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: s.issues},
			NetDialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "tcp", s.address)
			}}
		ws, _, err := dialer.DialContext(t.Context(), "wss://shop.example.org/ws", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer ws.Close()
		if err := ws.WriteMessage(websocket.TextMessage, []byte("over TLS")); err != nil {
			t.Fatal(err)
		}
		if _, got, err := ws.ReadMessage(); err != nil || string(got) != "over TLS" {
			t.Errorf("%q, %v", got, err)
		}
	})
	t.Run("takes uploads and streams over HTTP/2", func(t *testing.T) {
		s.mount(t, paas.Gate{}, []string{"shop.example.org"}, replica(t, "r", func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(w, r.Body)
			if err != nil || n != 3<<20 {
				panic(fmt.Sprint(n, err))
			}
		}))
		resp, err := s.secureClient(t).Post("https://shop.example.org/", "text/plain", strings.NewReader(strings.Repeat("kurama", 1<<19)))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != 3<<20 || resp.ProtoMajor != 2 {
			t.Errorf("%d bytes by %s, %v", n, resp.Proto, err)
		}
	})
	t.Run("is where an app that wants https leads to", func(t *testing.T) {
		s.mount(t, paas.Gate{HTTPS: true, Maintenance: true}, []string{"shop.example.org"})
		r := s.request(t, "POST", "/cart?n=1", nil)
		r.Host = "shop.example.org"
		resp, err := s.http.Transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		_, port, _ := net.SplitHostPort(s.address)
		if to := resp.Header.Get("Location"); resp.StatusCode != 308 || to != "https://shop.example.org:"+port+"/cart?n=1" {
			t.Errorf("%d to %q", resp.StatusCode, to)
		}
	})
}

func TestRedirectOfAllApps(t *testing.T) {
	cfg := testConfig()
	cfg.TLS.Redirect = true
	b := start(t, cfg)
	b.route(t, replica(t, "r", tells))
	r := b.request(t, "GET", "/", nil)
	resp, err := b.http.Transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 308 || resp.Header.Get("Location") != "https://hello.localhost/" {
		t.Errorf("%d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
	r.Header.Set("X-Forwarded-Proto", "https") // a proxy on this machine ends TLS
	if status, body := b.do(t, r); status != 200 || body != "https hello.localhost /" {
		t.Errorf("%d %q", status, body)
	}
}

func TestHTTP2WithoutTLS(t *testing.T) {
	for _, on := range []bool{true, false} {
		cfg := testConfig()
		cfg.H2C = on
		b := start(t, cfg)
		b.route(t, replica(t, "r", tells))
		transport := &http.Transport{Protocols: &http.Protocols{}}
		transport.Protocols.SetUnencryptedHTTP2(true)
		resp, err := transport.RoundTrip(b.request(t, "GET", "/", nil))
		if (err == nil) != on {
			t.Errorf("h2c %v: %v", on, err)
		}
		if err == nil {
			resp.Body.Close()
			if resp.ProtoMajor != 2 || resp.StatusCode != 200 {
				t.Errorf("%s %d", resp.Proto, resp.StatusCode)
			}
		}
		transport.CloseIdleConnections()
	}
}
