package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"kurama/internal/client"
	"kurama/paas"
)

// appName is the app that the sections share.
const appName = "bench"

// appSource is the app: a page that tells its version, and one that starts a
// thread which logs numbered lines at a steady rate.
const appSource = `import logging, random, threading, time
from flask import Flask, request

app = Flask(__name__)
log = logging.getLogger("bench")
log.setLevel(logging.INFO)

@app.get("/")
def home():
    return "version %d\n"

def talk(rate, count, mark):
    due = time.perf_counter()
    for i in range(count):
        log.info("%%s %%d: order 4711 of ann@example.com was paid by card after two attempts", mark, i)
        due += 1 / rate
        time.sleep(max(0, due - time.perf_counter()))

@app.get("/order/<int:number>")
def order(number):
    name = random.choice(["ann", "ben", "chloe", "dina", "emil", "fay"])
    log.info("order %%d of %%s@example.com: %%d items, %%.2f EUR", number, name, random.randint(1, 9), random.uniform(3, 400))
    if random.random() < 0.02:
        raise ValueError("the stock of article %%d is below zero" %% random.randint(1000, 9999))
    log.info("order %%d was paid by %%s after %%d attempts", number, random.choice(["card", "transfer", "voucher"]), random.randint(1, 3))
    return {"order": number, "paid": True}

@app.get("/talk")
def start():
    rate, count = request.args.get("rate", type=float), request.args.get("count", type=int)
    threading.Thread(target=talk, args=(rate, count, request.args["mark"]), daemon=True).start()
    return "talking\n"
`

const appRequirements = "flask\n"

// app is what is deployed.
type app struct{ version int }

// files returns the app's files at a version.
func appFiles(version int) map[string]string {
	return map[string]string{"app.py": fmt.Sprintf(appSource, version), "requirements.txt": appRequirements}
}

// packed returns files as a zip.
func packed(files map[string]string) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, text := range files {
		f, err := w.Create(name)
		if err != nil {
			return nil, fmt.Errorf("packing the app: %w", err)
		}
		if _, err := io.WriteString(f, text); err != nil {
			return nil, fmt.Errorf("packing the app: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("packing the app: %w", err)
	}
	return out.Bytes(), nil
}

// deploy uploads the next version and returns the time from the request until
// the router answers with it.
func (p *platform) deploy(ctx context.Context) (time.Duration, error) {
	if p.app == nil {
		p.app = &app{}
	}
	p.app.version++
	return p.upload(ctx, appName, p.app.version, appFiles(p.app.version))
}

// upload deploys a version of an app and returns the time from the request until
// the router answers with it.
func (p *platform) upload(ctx context.Context, name string, version int, files map[string]string) (time.Duration, error) {
	body, err := packed(files)
	if err != nil {
		return 0, err
	}
	var release paas.Release
	began := time.Now()
	err = p.api.Send(ctx, "/apps/"+name+"/releases", client.Upload{Body: bytes.NewReader(body), Size: int64(len(body)),
		ContentType: "application/zip", FileName: name + ".zip"}, &release)
	if err != nil {
		return 0, err
	}
	bounded, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := answers(bounded, "http://"+name+"."+p.router+"/", fmt.Sprintf("version %d\n", version)); err != nil {
		return 0, errors.Join(err, p.whyNot(ctx, name, release.Number))
	}
	return time.Since(began), nil
}

// whyNot returns what the platform says about a release that does not answer.
func (p *platform) whyNot(ctx context.Context, name string, number int) error {
	var release paas.Release
	if err := p.api.Call(ctx, http.MethodGet, fmt.Sprintf("/apps/%s/releases/%d", name, number), nil, nil, &release); err != nil {
		return err
	}
	return fmt.Errorf("release %d is %s: %s\n%s", number, release.State, release.Reason, p.out)
}

// ensureApp deploys the app where it is not there yet.
func (p *platform) ensureApp(ctx context.Context) error {
	if p.app != nil {
		return nil
	}
	if _, err := p.deploy(ctx); err != nil {
		return err
	}
	return p.drained(ctx)
}

// appURL is where the app answers: at the router, by its host's name.
func (p *platform) appURL(path string) string {
	return "http://" + appName + "." + p.router + path
}

// drained waits until the newest release is live, which is noted a moment
// after the first answer, and the old one's replicas are gone, and settles.
func (p *platform) drained(ctx context.Context) error {
	for {
		var view struct {
			paas.App
			Replicas []paas.Replica `json:"replicas"`
			Last     *paas.Release  `json:"last_release"`
		}
		if err := p.api.Call(ctx, http.MethodGet, "/apps/"+appName, url.Values{}, nil, &view); err != nil {
			return err
		}
		if view.State == paas.AppFailed {
			return fmt.Errorf("the app %s failed: %s", appName, view.Reason)
		}
		if view.Last != nil && view.Last.State == paas.ReleaseLive && len(view.Replicas) == 1 && view.Replicas[0].State == paas.ReplicaHealthy {
			return p.settle(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the old release to go: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// pollEvery is the pause between two looks whether an app answers.
const pollEvery = 5 * time.Millisecond

// visitor asks like a browser, for which every name under localhost is this
// host. Each request is a connection of its own: one that is kept would go on
// to the old release.
var visitor = http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true,
	DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fmt.Errorf("reading the address %s: %w", address, err)
		}
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}}}

// answers waits until address answers 200 with the text want.
func answers(ctx context.Context, address, want string) error {
	last := errors.New("nobody was asked")
	for ctx.Err() == nil {
		text, err := fetch(ctx, address)
		if err == nil && text == want {
			return nil
		}
		if last = err; err == nil {
			last = fmt.Errorf("it says %q", text)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pollEvery):
		}
	}
	return fmt.Errorf("%s does not say %q: %w (last: %w)", address, strings.TrimSpace(want), ctx.Err(), last)
}

func fetch(ctx context.Context, address string) (string, error) {
	return fetchBy(ctx, &visitor, address)
}

func fetchBy(ctx context.Context, by *http.Client, address string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", fmt.Errorf("asking %s: %w", address, err)
	}
	resp, err := by.Do(req)
	if err != nil {
		return "", fmt.Errorf("asking %s: %w", address, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", fmt.Errorf("reading the answer of %s: %w", address, err)
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answered %s", address, resp.Status)
	}
	return string(text), nil
}
