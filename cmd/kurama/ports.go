package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"kurama/internal/config"
	"kurama/internal/role"
)

// ports are the listeners that stay open while roles come and go.
type ports struct {
	files                    map[string][]*os.File // role → listeners
	reach                    map[string]string     // role → address on this machine
	listeners                []net.Listener
	consoleURL, dashboardURL string
	routerPort               string
	tlsAddr                  string // the router's, with the port that is really in use; empty: none
	streamAddr               string
}

// bindPorts listens on the addresses that people and apps' clients use.
func bindPorts(cfg config.Config) (ports, error) {
	p := ports{files: map[string][]*os.File{}, reach: map[string]string{}}
	console, err1 := p.bind("paas", "console.listen", cfg.Console.Listen)
	dashboard, err2 := p.bind("dashboard", "dashboard.listen", cfg.Dashboard.Listen)
	router, err3 := p.bind("router", "router.listen", cfg.Router.Listen)
	err4 := p.bindTLS(cfg.Router.TLS.Listen)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return p, err
	}
	p.consoleURL = orLocal(cfg.Console.URL, cfg.TLS, console)
	p.dashboardURL = orLocal(cfg.Dashboard.URL, cfg.TLS, dashboard)
	p.routerPort = router
	var err error
	p.streamAddr, err = freeStreamAddr(cfg.Stream)
	return p, err
}

// orLocal is the configured address, or the port on this machine.
func orLocal(url string, secure config.Certificate, port string) string {
	if url != "" {
		return url
	}
	return secure.Scheme() + "://localhost:" + port
}

// bind listens on addr for a role and returns the port.
func (p *ports) bind(name, key, addr string) (string, error) {
	ln, err := role.Listen(addr)
	if err != nil {
		return "", portSentence(key, addr, err)
	}
	p.listeners = append(p.listeners, ln)
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		return "", fmt.Errorf("handing down the listener of %s: %w", name, err)
	}
	p.files[name] = append(p.files[name], file)
	tcp := ln.Addr().(*net.TCPAddr)
	host := tcp.IP.String()
	if tcp.IP.IsUnspecified() {
		host = "localhost"
	}
	port := strconv.Itoa(tcp.Port)
	p.reach[name] = net.JoinHostPort(host, port)
	return port, nil
}

// bindTLS listens on the router's encrypted port, where there is to be one.
func (p *ports) bindTLS(addr string) error {
	if addr == "" {
		return nil
	}
	plain := p.reach["router"]
	port, err := p.bind("router", "router.tls.listen", addr)
	if err != nil {
		return err
	}
	p.reach["router"] = plain
	host, _, _ := net.SplitHostPort(addr)
	p.tlsAddr = net.JoinHostPort(host, port)
	return nil
}

// portSentence says which key moves Kurama away from a port that is taken.
func portSentence(key, addr string, err error) error {
	cure := fmt.Sprintf("set %s in kuramaconfig.yaml (or %s in the environment) to another one", key, config.EnvName(key))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("the address %s is taken by another program. End that one, or %s", addr, cure)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("the address %s needs more rights than you have. Use a port above 1023: %s", addr, cure)
	}
	return fmt.Errorf("%w. You can %s", err, cure)
}

// freeStreamAddr checks that the embedded stream can listen where it should,
// and picks a free port where port 0 asks for one.
func freeStreamAddr(cfg config.Stream) (string, error) {
	if cfg.URL != "" {
		return cfg.Listen, nil
	}
	ln, err := role.Listen(cfg.Listen)
	if err != nil {
		return "", portSentence("stream.listen", cfg.Listen, err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String(), nil
}

// env overrides the addresses of the roles with those really in use.
func (p *ports) env() []string {
	return []string{
		config.EnvName("console.url") + "=" + p.consoleURL,
		config.EnvName("dashboard.url") + "=" + p.dashboardURL,
		config.EnvName("console.listen") + "=" + p.reach["paas"],
		config.EnvName("dashboard.listen") + "=" + p.reach["dashboard"],
		// Whether it listens everywhere, which reach has localhost for, decides on internal names.
		config.EnvName("router.listen") + "=" + strings.TrimPrefix(p.reach["router"], "localhost"),
		config.EnvName("router.tls.listen") + "=" + p.tlsAddr,
		config.EnvName("stream.listen") + "=" + p.streamAddr,
	}
}

// address is where a role's port is reached from this machine.
func (p *ports) address(name string) string { return p.reach[name] }

func (p *ports) close() {
	for _, files := range p.files {
		for _, f := range files {
			_ = f.Close()
		}
	}
	for _, ln := range p.listeners {
		_ = ln.Close()
	}
}
