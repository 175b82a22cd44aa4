package role

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"kurama/internal/config"
)

// lookEvery is the time between two looks at a certificate's files.
const lookEvery = time.Second

// Secure lets clients of ln speak TLS where cfg names a certificate; ln is returned
// as it is otherwise. The files are read anew when they change.
func Secure(ln net.Listener, cfg config.Certificate, log *slog.Logger) (net.Listener, error) {
	if !cfg.On() {
		return ln, nil
	}
	k := &keptCertificate{cfg: cfg, log: log}
	k.state = k.look()
	if err := k.load(); err != nil {
		return nil, err
	}
	return tls.NewListener(ln, &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: k.get}), nil
}

// keptCertificate is a certificate whose files may be replaced.
type keptCertificate struct {
	cfg config.Certificate
	log *slog.Logger

	mu     sync.Mutex
	now    *tls.Certificate
	state  string // of the files, as of the last look
	looked time.Time
}

// get returns the certificate, as each handshake asks for it. Files that cannot be
// read leave the one before in force: whoever replaces them may be half done.
func (k *keptCertificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.looked) < lookEvery {
		return k.now, nil
	}
	k.looked = time.Now()
	if state := k.look(); state != k.state {
		k.state = state
		if err := k.load(); err != nil {
			k.log.Error("the certificate is left as it was", "error", err)
		} else {
			k.log.Info("the certificate was read anew", "file", k.cfg.File)
		}
	}
	return k.now, nil
}

// look returns what changes when a file does.
func (k *keptCertificate) look() (state string) {
	for _, name := range []string{k.cfg.File, k.cfg.Key} {
		if info, err := os.Stat(name); err == nil {
			state += fmt.Sprint(info.ModTime().UnixNano(), info.Size(), " ")
		}
	}
	return state
}

func (k *keptCertificate) load() error {
	c, err := tls.LoadX509KeyPair(k.cfg.File, k.cfg.Key)
	if err != nil {
		return fmt.Errorf("tls.certificate and tls.key cannot be used: %w", err)
	}
	k.now = &c
	return nil
}
