package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"kurama/paas"
	"kurama/paas/router"
)

const (
	routerRounds   = 3
	routerDuration = 4 * time.Second
	routerHost     = "fast.localhost"
)

// lane is one way to the backend, with what was measured on it.
type lane struct {
	name, address string
	pid           int // of the proxy; 0 where there is none
	rates, p99    []float64
	cpu           []float64 // seconds of the proxy for 100 000 requests
}

// measureRouter loads a small backend directly, through a bare ReverseProxy
// and through Kurama's router, in turns. Behind the router the whole platform
// takes its records in, on the same cores.
func (b *bench) measureRouter(ctx context.Context) error {
	p, err := b.up(ctx)
	if err != nil {
		return err
	}
	target, err := startPeer(ctx, "backend")
	if err != nil {
		return err
	}
	defer target.stop()
	proxy, err := startPeer(ctx, "proxy", target.address)
	if err != nil {
		return err
	}
	defer proxy.stop()
	second, err := p.secondRouter(ctx, target.address)
	if err != nil {
		return err
	}
	defer second.stop()
	lanes := []*lane{{name: "direct", address: target.address}, {name: "bare ReverseProxy", address: proxy.address, pid: proxy.cmd.Process.Pid},
		{name: "router", address: second.address, pid: second.cmd.Process.Pid}}
	for round := range routerRounds {
		for i := range lanes {
			l := lanes[(i+round)%len(lanes)] // none has the first place for itself
			if err := p.settle(ctx); err != nil {
				return err
			}
			if err := l.measure(ctx); err != nil {
				return err
			}
		}
	}
	b.reportRouter(lanes[0], lanes[1], lanes[2])
	return p.settle(ctx)
}

func (l *lane) measure(ctx context.Context) error {
	var before usage
	var err error
	if l.pid != 0 {
		if before, err = use(l.pid); err != nil {
			return err
		}
	}
	result, err := wrk(ctx, "http://"+l.address+"/", routerHost, routerDuration)
	if err != nil {
		return fmt.Errorf("%s: %w", l.name, err)
	}
	l.rates, l.p99 = append(l.rates, result.rate), append(l.p99, result.p99)
	if l.pid != 0 {
		after, err := use(l.pid)
		if err != nil {
			return err
		}
		requests := result.rate * routerDuration.Seconds()
		l.cpu = append(l.cpu, after.since(before).total.Seconds()/requests*100_000)
	}
	return nil
}

func (b *bench) reportRouter(direct, bare, kurama *lane) {
	add := func(name, unit string, of func(*lane) []float64, against *lane, goal *aim) {
		b.report.add(figure{Section: "router", Name: name, Unit: unit, Runs: of(kurama), Peer: against.name, PeerRuns: of(against), Aim: goal})
	}
	rates, p99 := func(l *lane) []float64 { return l.rates }, func(l *lane) []float64 { return l.p99 }
	add("requests through the router", "/s", rates, direct, nil)
	add("the same, against a bare proxy", "/s", rates, bare, nil)
	add("p99", "ms", p99, direct, nil)
	add("p99, against a bare proxy", "ms", p99, bare, nil)
	add("CPU of the proxy for 100 000 requests", "s", func(l *lane) []float64 { return l.cpu }, bare, nil)
}

// secondRouter runs `kurama router` beside the platform's own, whose table the
// control plane would overwrite. Its records go to the platform's agent.
func (p *platform) secondRouter(ctx context.Context, targets ...string) (*peer, error) {
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(p.data, "second")
	run := filepath.Join(data, "run")
	file := filepath.Join(data, "config.yaml")
	text := fmt.Sprintf("router: {listen: '127.0.0.1:%s'}\nrun_dir: %s\nlog_level: warn\n", ports[0], run)
	err = errors.Join(os.RemoveAll(data), os.MkdirAll(run, 0o755), os.WriteFile(file, []byte(text), 0o600),
		os.Symlink(p.folders.Socket("agent.sock"), filepath.Join(run, "agent.sock")))
	if err != nil {
		return nil, fmt.Errorf("preparing a second router: %w", err)
	}
	cmd := exec.CommandContext(ctx, p.program, "router", "--config", file, "--data", data)
	cmd.Stdout, cmd.Stderr = p.out, p.out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting a second router: %w", err)
	}
	second := &peer{cmd: cmd, address: "127.0.0.1:" + ports[0]}
	route := paas.Route{Tenant: paas.DefaultTenant, App: "fast", Hosts: []string{routerHost}, State: paas.AppRunning}
	for i, address := range targets {
		route.Targets = append(route.Targets, paas.Target{Replica: fmt.Sprintf("fast-1-bench%c", 'a'+i), Release: 1, Address: address})
	}
	table := paas.Table{Version: 1, Routes: []paas.Route{route}}
	control := router.NewClient(filepath.Join(run, "router.sock"))
	for last := control.Apply(ctx, table); last != nil; last = control.Apply(ctx, table) {
		select {
		case <-ctx.Done():
			second.stop()
			return nil, fmt.Errorf("the second router takes no table: %w", last)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return second, nil
}
