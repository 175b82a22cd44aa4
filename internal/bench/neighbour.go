package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"kurama/internal/client"
	"kurama/paas"
	"kurama/sdk/reqsim"
)

const (
	nuisanceName  = "nuisance"
	nuisanceOwner = "loud" // its tenant
	calmRate      = 40.0   // requests a second of the neighbour, 10 ms of CPU each
	calmLasts     = 4 * time.Second
	calmRounds    = 3
)

// nuisanceSource is an app that takes what it can of one thing for some seconds.
const nuisanceSource = `import os, signal, socket, threading, time
from flask import Flask, request

app = Flask(__name__)

def cpu():
    sum(range(10_000))

def memory(kept=[]):
    kept.append(b"x" * (1 << 20))
    if len(kept) > 4000:
        os._exit(0)

def disk():
    with open("/tmp/fill%d" % os.getpid(), "wb", buffering=0) as f:
        try:
            while True:
                f.write(b"x" * (1 << 20))
        except OSError:
            pass

def pids():
    try:
        if os.fork() == 0:
            os._exit(0)
        os.waitpid(-1, 0)
    except OSError:
        pass

def connections(kept=[]):
    try:
        s = socket.create_connection(("127.0.0.1", 8000), timeout=0.2)
        kept.append(s)
    except OSError:
        while kept:
            kept.pop().close()

def stdout():
    os.write(out, b"noise " + b"x" * 200 + b"\n")

out = os.open("/proc/1/fd/1", os.O_WRONLY)

@app.get("/take/<what>")
def take(what):
    end, work = time.monotonic() + float(request.args["seconds"]), globals()[what]
    children = []
    while time.monotonic() < end:
        while len(children) < 4:
            child = os.fork()
            if child == 0:
                open("/proc/self/oom_score_adj", "w").write("1000")
                while time.monotonic() < end:
                    work()
                os._exit(0)
            children.append(child)
        children.remove(os.wait()[0])
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    for name in os.listdir("/tmp"):
        if name.startswith("fill"):
            os.unlink("/tmp/" + name)
    return "taken\n"

@app.get("/")
def home():
    return "loud\n"
`

// calmSource is the neighbour: a page that works for some milliseconds.
const calmSource = `import time
from flask import Flask
app = Flask(__name__)

@app.get("/")
def home():
    end = time.thread_time() + 0.01
    while time.thread_time() < end:
        pass
    return "calm\n"
`

// measureNeighbour holds the p95 of an app while another tenant's app takes
// all that it can of one thing, against its p95 while that one is quiet, in turns.
func (b *bench) measureNeighbour(ctx context.Context) (err error) {
	p, err := newPlatform(b.program, ownPorts) // with the bounds that apps have
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.remove()) }()
	if _, err := p.start(ctx); err != nil {
		return err
	}
	if err := p.api.Call(ctx, http.MethodPost, "/tenants", nil, map[string]string{"name": nuisanceOwner}, nil); err != nil {
		return err
	}
	if err := errors.Join(p.deployScript(ctx, "calm", "", calmSource, "calm\n"), p.deployScript(ctx, nuisanceName, nuisanceOwner, nuisanceSource, "loud\n")); err != nil {
		return err
	}
	before, err := p.calmly(ctx)
	if err != nil {
		return err
	}
	for _, what := range b.some("neighbour", "cpu", "memory", "disk", "pids", "connections", "stdout") {
		var loud, calm []float64
		for range calmRounds {
			under, err := p.beside(ctx, what)
			if err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
			after, err := p.calmly(ctx)
			if err != nil {
				return err
			}
			loud, calm = append(loud, under), append(calm, (before+after)/2)
			before = after
		}
		b.report.add(figure{Section: "neighbour", Name: "p95 while another tenant burns " + what, Unit: "ms", Runs: loud, Peer: "while it is quiet", PeerRuns: calm, Aim: ratioAtMost(1.2)})
	}
	return nil
}

// patient waits for answers that take some seconds.
var patient = http.Client{Timeout: calmLasts + 20*time.Second, Transport: visitor.Transport}

// calmly returns the same once nothing is left of what was taken.
func (p *platform) calmly(ctx context.Context) (float64, error) {
	if err := p.settle(ctx); err != nil {
		return 0, err
	}
	return p.visited(ctx)
}

// visited returns the p95 of the neighbour's requests, ms. None may fail.
func (p *platform) visited(ctx context.Context) (float64, error) {
	report, err := reqsim.Run(ctx, reqsim.Plan{URL: "http://" + p.router, Host: "calm." + p.router, Rate: calmRate, Duration: calmLasts}, nil)
	if err != nil {
		return 0, err
	}
	if report.Failed > 0 || report.Unsent > 0 {
		return 0, fmt.Errorf("%d of %d requests of the neighbour failed and %d were not sent: %v", report.Failed, report.Planned, report.Unsent, report.Errors)
	}
	return report.Latency.P95, nil
}

// beside returns the same while the other app takes what.
func (p *platform) beside(ctx context.Context, what string) (float64, error) {
	done := make(chan error, 1)
	go func() {
		address := fmt.Sprintf("http://%s.%s.%s/take/%s?seconds=%g", nuisanceName, nuisanceOwner, p.router, what, (calmLasts + time.Second).Seconds())
		_, err := fetchBy(ctx, &patient, address)
		done <- err
	}()
	pause(ctx, 500*time.Millisecond)
	p95, err := p.visited(ctx)
	return p95, errors.Join(err, <-done)
}

// deployScript deploys an app of one file and waits until it answers with want.
func (p *platform) deployScript(ctx context.Context, name, tenant, source, want string) error {
	var body bytes.Buffer
	w := zip.NewWriter(&body)
	f, err := w.Create("app.py")
	if err == nil {
		_, err = io.WriteString(f, source)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	api, host, err := p.api, name+"."+p.router, error(nil)
	if tenant != "" {
		host = name + "." + tenant + "." + p.router
		if api, err = p.client(tenant); err != nil {
			return err
		}
	}
	var release paas.Release
	if err := api.Send(ctx, "/apps/"+name+"/releases", client.Upload{Body: &body, Size: int64(body.Len()), ContentType: "application/zip", FileName: "app.zip"}, &release); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return answers(bounded, "http://"+host+"/", want)
}
