package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"kurama/internal/role"
)

// readyWithin bounds the wait for one role.
const readyWithin = 60 * time.Second

// startRoles starts every role as a process of its own and waits until each
// says that it is ready.
func (p *platform) startRoles(ctx context.Context) error {
	self, err := program()
	if err != nil {
		return err
	}
	sup := &role.Supervisor{Program: self, Env: p.roleEnv(), Output: os.Stderr,
		StopAfter: p.cfg.StopTimeout, BackoffMin: 200 * time.Millisecond, BackoffMax: 15 * time.Second, Log: p.log}
	p.roles = sup.NewGroup()
	p.onStop(p.stopApps)
	p.onStop(p.roles.Stop)
	// What others lean on first: they would manage without, but say so.
	for _, group := range [][]string{{"stream"}, {"logship", "router"}, role.Names[3:]} {
		for _, name := range group {
			p.roles.Start(role.Spec{Name: name, Args: p.args(name), Listen: p.ports.files[name], Nice: standBack[name]})
		}
		if err := p.waitFor(ctx, group); err != nil {
			return err
		}
	}
	go slimLater(ctx)
	return nil
}

// standBack is the niceness of the roles that nobody waits for: while records
// come faster than the cores take them, rows, alerts and the live view go
// first. The stream keeps what these have not read yet.
var standBack = map[string]int{"archive": 10, "profile": 10}

// memoryLimit is where a role's garbage collector begins to work harder, so
// that a burst is given back. It bounds nothing; GOMEMLIMIT overrides it.
const memoryLimit = "GOMEMLIMIT=256MiB"

// roleEnv is the environment of the roles: this one's, and the addresses that
// are really in use.
func (p *platform) roleEnv() []string {
	env := append([]string{memoryLimit}, os.Environ()...) // the last of a name counts
	return append(env, p.ports.env()...)
}

func (p *platform) waitFor(ctx context.Context, names []string) error {
	for _, name := range names {
		if err := waitReady(ctx, p.probe(name), readyWithin); err != nil {
			return fmt.Errorf("the role %s did not become ready within %s: %w. Its messages above say why", name, readyWithin, err)
		}
	}
	return nil
}

// probe is where a role answers /readyz.
func (p *platform) probe(name string) probe {
	switch name {
	case "paas", "dashboard":
		return probe{tcp: p.ports.address(name), secure: p.cfg.TLS.On()}
	case "router":
		return probe{socket: p.folders.Socket("router.sock")}
	}
	return probe{socket: opsSocket(p.folders.Run, name)}
}

// opsSocket is where a role without a port answers /healthz, /readyz and /metrics.
func opsSocket(run, name string) string { return filepath.Join(run, "roles", name+".sock") }

// probe asks one role whether it is ready, over TCP or a Unix socket.
type probe struct {
	tcp, socket string
	secure      bool // it speaks TLS
}

// ask returns why the role is not ready.
func (p probe) ask(ctx context.Context) error {
	res, err := p.get(ctx, "/readyz")
	if err != nil {
		return err
	}
	return res.Close()
}

// get returns the body of a page that the role answers with status 200.
func (p probe) get(ctx context.Context, page string) (io.ReadCloser, error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		if p.socket != "" {
			return (&net.Dialer{}).DialContext(ctx, "unix", p.socket)
		}
		return (&net.Dialer{}).DialContext(ctx, "tcp", p.tcp)
	}
	// The certificate is for the name that people use; this is a role on this machine.
	transport := &http.Transport{DialContext: dial, DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	client, scheme := http.Client{Timeout: 5 * time.Second, Transport: transport}, "http"
	if p.secure {
		scheme = "https"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://localhost"+page, nil)
	if err != nil {
		return nil, fmt.Errorf("asking a role for %s: %w", page, err)
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("it does not answer: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		_ = res.Body.Close()
		return nil, fmt.Errorf("it answers %s", res.Status)
	}
	return res.Body, nil
}

func waitReady(ctx context.Context, p probe, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	last := errors.New("it was not asked")
	for ctx.Err() == nil {
		err := p.ask(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	return last
}
