package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"kurama/examples"
)

// demoTraffic is what the demo app is sent after the first start: enough to
// see the dashboard move.
var demoTraffic = []string{"reqsim", "--app", "hello", "--shape", "sine", "--rate", "5", "--peak", "20", "--duration", "60s", "--json",
	"--path", "/=6", "--path", "/slow?ms=80=2", "--path", "/log=1"}

// demo deploys the example app and sends it a little traffic, with the same
// commands that a user has. What goes wrong is said and harms nothing.
func (p *platform) demo(ctx context.Context) {
	dir, err := os.MkdirTemp("", "kurama-demo-")
	if err != nil {
		p.log.Warn("the demo app was not deployed", "error", err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.CopyFS(dir, examples.Hello()); err != nil {
		p.log.Warn("the demo app was not deployed", "error", err)
		return
	}
	fmt.Fprintln(p.out, "\ndeploying the demo app")
	out, err := p.self(ctx, "deploy", dir, "--app", "hello")
	if ctx.Err() != nil {
		return // the next start deploys it
	}
	_ = os.Remove(p.demoPending()) // a demo that is deployed twice harms nobody
	if err != nil {
		p.log.Warn("the demo app was not deployed", "error", err, "said", out)
		return
	}
	fmt.Fprintf(p.out, "✓ http://hello.%s:%s  (a minute of simulated traffic is on its way to it)\n", p.cfg.Domain, p.ports.routerPort)
	if out, err := p.self(ctx, demoTraffic...); err != nil && ctx.Err() == nil {
		p.log.Warn("the simulated traffic failed", "error", err, "said", out)
	}
}

// demoPending is a file that is there while the demo app is still to be
// deployed: who stops the first start before that gets it with the second.
func (p *platform) demoPending() string { return p.folders.Sub("demo.pending") }

// wantsDemo reports whether this start has to deploy the demo app.
func (p *platform) wantsDemo() bool {
	if p.noDemo {
		return false
	}
	if p.first {
		if err := os.WriteFile(p.demoPending(), nil, 0o600); err != nil {
			p.log.Warn("the demo app is not deployed again if this start is cut off", "error", err)
		}
		return true
	}
	_, err := os.Stat(p.demoPending())
	return err == nil
}

// self runs this program with the administrator's token.
func (p *platform) self(ctx context.Context, args ...string) (string, error) {
	path, err := program()
	if err != nil {
		return "", err
	}
	token, err := os.ReadFile(p.folders.Sub("admin.token"))
	if err != nil {
		return "", fmt.Errorf("reading the administrator's token: %w", err)
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "KURAMA_URL="+p.ports.consoleURL, "KURAMA_TOKEN="+strings.TrimSpace(string(token)),
		"KURAMA_ROUTER=http://localhost:"+p.ports.routerPort)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return strings.TrimSpace(out.String()), fmt.Errorf("kurama %s: %w", args[0], err)
	}
	return out.String(), nil
}
