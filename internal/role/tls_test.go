package role_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/internal/role"
)

// writeCertificate lays a certificate for this host, and returns who trusts it.
func writeCertificate(t *testing.T, files config.Certificate, name string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	pkcs, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	must(t, os.WriteFile(files.File, certificate, 0o600))
	must(t, os.WriteFile(files.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs}), 0o600))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certificate)
	return pool
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSecure(t *testing.T) {
	dir := t.TempDir()
	files := config.Certificate{File: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	ln, err := role.Listen("127.0.0.1:0")
	must(t, err)
	if _, err := role.Secure(ln, files, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("files that there are not were taken")
	}
	writeCertificate(t, files, "first")
	secured, err := role.Secure(ln, files, slog.New(slog.DiscardHandler))
	must(t, err)
	srv := &http.Server{Handler: http.NotFoundHandler()}
	go func() { _ = srv.Serve(secured) }()
	t.Cleanup(func() { _ = srv.Close() })
	shown := func() string {
		conn, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		must(t, err)
		defer func() { _ = conn.Close() }()
		if p := conn.ConnectionState().NegotiatedProtocol; p != "h2" {
			t.Errorf("speaks %q", p)
		}
		return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	until := func(want string) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); shown() != want; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s is shown, not %s", shown(), want)
			}
		}
	}
	until("first")
	must(t, os.WriteFile(files.Key, []byte("half of it"), 0o600))
	until("first")
	writeCertificate(t, files, "second")
	until("second")
}
