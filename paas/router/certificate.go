package router

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"kurama/internal/config"
)

// Pauses after a certificate could not be got, doubling: authorities refuse who
// asks in vain too often (Let's Encrypt: five times an hour and name), and a
// client can make us ask by naming a domain that does not lead here yet.
const (
	firstPause   = time.Minute
	longestPause = time.Hour
)

// certificates gets, keeps and renews a certificate for each host of the table
// when the first client asks for it, and for no other name.
type certificates struct {
	magic  *certmagic.Config
	cache  *certmagic.Cache
	issuer *certmagic.ACMEIssuer
	known  func(host string) bool
	log    *slog.Logger

	mu     sync.Mutex
	failed map[string]failure
}

// failure is what went wrong with the certificates of a name lately.
type failure struct {
	times int
	until time.Time
}

// newCertificates keeps certificates and the account's key in folder, readable
// by the owner alone. It fails when cfg.Roots cannot be read. The plain and the
// encrypted listener are where the authority's challenges arrive.
func newCertificates(cfg config.TLS, folder string, plain, encrypted net.Listener, known func(string) bool, log *slog.Logger) (*certificates, error) {
	cs := &certificates{known: known, log: log, failed: map[string]failure{}}
	roots, err := readRoots(cfg.Roots)
	if err != nil {
		return nil, err
	}
	quiet := zap.NewNop() // what there is to say comes as events
	cs.cache = certmagic.NewCache(certmagic.CacheOptions{Logger: quiet,
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return cs.magic, nil }})
	cs.magic = certmagic.New(cs.cache, certmagic.Config{Storage: &certmagic.FileStorage{Path: folder}, Logger: quiet,
		OnDemand: &certmagic.OnDemandConfig{DecisionFunc: cs.decide}, OnEvent: cs.heard})
	host, plainPort := hostPort(plain)
	_, tlsPort := hostPort(encrypted)
	cs.issuer = certmagic.NewACMEIssuer(cs.magic, certmagic.ACMEIssuer{CA: cfg.Directory, TestCA: cfg.Directory, Email: cfg.Email, Agreed: true,
		TrustedRoots: roots, ListenHost: host, AltHTTPPort: plainPort, AltTLSALPNPort: tlsPort, Logger: quiet})
	cs.magic.Issuers = []certmagic.Issuer{cs.issuer}
	return cs, nil
}

// readRoots returns the roots in a PEM file; nil, the system's, without a path.
func readRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("router.tls.roots: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("router.tls.roots: %s holds no certificate in PEM form", path)
	}
	return pool, nil
}

func hostPort(listener net.Listener) (host string, port int) {
	tcp, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return "", 0
	}
	if !tcp.IP.IsUnspecified() {
		host = tcp.IP.String()
	}
	return host, tcp.Port
}

// serverConfig returns how the encrypted port speaks: TLS 1.2 or newer, and
// HTTP/2 or HTTP/1.1 as the client prefers.
func (cs *certificates) serverConfig() *tls.Config {
	c := cs.magic.TLSConfig()
	c.MinVersion = tls.VersionTLS12
	c.NextProtos = append([]string{"h2", "http/1.1"}, c.NextProtos...)
	return c
}

// decide returns why no certificate is to be got for name.
func (cs *certificates) decide(_ context.Context, name string) error {
	if !cs.known(name) {
		return fmt.Errorf("no app answers on %s", name)
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if f, ok := cs.failed[name]; ok && time.Now().Before(f.until) {
		return fmt.Errorf("the certificate of %s could not be got lately: not asked again before %s", name, f.until.Format(time.TimeOnly))
	}
	return nil
}

// heard takes the events of certmagic. It never stops one.
func (cs *certificates) heard(_ context.Context, event string, data map[string]any) error {
	name, _ := data["identifier"].(string)
	switch event {
	case "cert_obtained":
		cs.mu.Lock()
		delete(cs.failed, name)
		cs.mu.Unlock()
		cs.log.Info("certificate obtained", "host", name, "renewal", data["renewal"])
	case "cert_failed":
		err, _ := data["error"].(error)
		cs.log.Warn("no certificate", "host", name, "renewal", data["renewal"], "pause", cs.pause(name), "error", err)
	}
	return nil
}

// pause notes a failure and returns how long name is left alone.
func (cs *certificates) pause(name string) time.Duration {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for other := range cs.failed {
		if !cs.known(other) {
			delete(cs.failed, other) // its app or its domain is gone
		}
	}
	f := cs.failed[name]
	pause := min(firstPause<<min(f.times, 10), longestPause)
	cs.failed[name] = failure{times: f.times + 1, until: time.Now().Add(pause)}
	return pause
}

// answers reports whether the request was an authority's challenge, which it
// then has answered.
func (cs *certificates) answers(w http.ResponseWriter, r *http.Request) bool {
	return cs != nil && r.TLS == nil && strings.HasPrefix(r.URL.Path, "/.well-known/acme-challenge/") && cs.issuer.HandleHTTPChallenge(w, r)
}

// close ends the renewals.
func (cs *certificates) close() {
	if cs != nil {
		cs.cache.Stop()
	}
}

// errPlain means that a request came without TLS to an app that wants it.
var errPlain = errors.New("the app wants https")

// secure returns the address of the request with https, on the port that the
// router has open or, behind a proxy that ends TLS, on the usual one.
func (v *visit) secure() string {
	host := hostname(v.r.Host)
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if v.router.opts.TLS != nil {
		if _, port := hostPort(v.router.opts.TLS); port != 443 {
			host = fmt.Sprintf("%s:%d", host, port)
		}
	}
	return "https://" + host + v.uri
}
