package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kurama/paas"
)

const deployRounds = 5

// byHandLabel marks what the rounds by hand make, so that it can be removed.
const byHandLabel = "kurama.bench"

// byHand deploys the same app as a person does without Kurama: a Dockerfile on
// the same base image, `docker build`, and `docker run` with the limits and
// the hardening that Kurama gives a replica.
type byHand struct {
	label   string   // of everything it makes
	folder  string   // with Dockerfile and source
	network string   // its own
	port    string   // of this host
	run     []string // arguments of docker run before the image
	build   []string // further ones of docker build

	requirements string // empty: the app's own
}

// measureDeploy deploys a changed app in turns, by Kurama and by hand.
func (b *bench) measureDeploy(ctx context.Context) error {
	p, err := b.up(ctx)
	if err != nil {
		return err
	}
	if err := p.ensureApp(ctx); err != nil {
		return err
	}
	hand, err := p.newByHand(ctx)
	if err != nil {
		return err
	}
	defer func() { b.warn(hand.remove()) }()
	if _, _, err := hand.deploy(ctx, 0); err != nil { // the layers below the source are cached from now on, as Kurama's are
		return err
	}
	// A replica stands by for who has deployed since the last start.
	if _, err := p.deployCalmly(ctx, func() error { return nil }); err != nil {
		return err
	}
	var kurama, cold, docker, build, start []float64
	for round := range deployRounds {
		took, err := p.deployCalmly(ctx, func() error { return p.standsBy(ctx) })
		if err != nil {
			return err
		}
		afresh, err := p.deployCalmly(ctx, func() error { return p.endStandby(ctx) })
		if err != nil {
			return err
		}
		if err := p.drained(ctx); err != nil {
			return err
		}
		if err := p.standsBy(ctx); err != nil { // it must not start beside the rounds by hand
			return err
		}
		built, started, err := hand.deploy(ctx, round+1)
		if err != nil {
			return err
		}
		kurama, cold = append(kurama, took.Seconds()), append(cold, afresh.Seconds())
		docker = append(docker, (built + started).Seconds())
		build, start = append(build, built.Seconds()), append(start, started.Seconds())
	}
	b.report.add(figure{Section: "deploy", Name: "changed app, until the first 200", Unit: "s", Runs: kurama,
		Peer: "docker build + run + first 200", PeerRuns: docker, Aim: ratioAtMost(0.33)})
	b.report.add(figure{Section: "deploy", Name: "the same, against its bound", Unit: "s", Runs: kurama,
		Peer: "bound", PeerValue: 0.8, Aim: valueAtMost(0.8)})
	b.report.add(figure{Section: "deploy", Name: "the same, when no replica stood by", Unit: "s", Runs: cold,
		Peer: "docker build + run + first 200", PeerRuns: docker, Aim: ratioAtMost(0.6)})
	b.report.add(figure{Section: "deploy", Name: "that, against docker run alone", Unit: "s", Runs: cold,
		Peer: "docker run + first 200", PeerRuns: start})
	b.report.add(figure{Section: "deploy", Name: "by hand: docker build alone", Unit: "s", Runs: build,
		Peer: "docker build + run + first 200", PeerRuns: docker})
	return p.measureFirst(ctx, b, hand)
}

// deployCalmly deploys once the release before has settled and ready is done.
func (p *platform) deployCalmly(ctx context.Context, ready func() error) (time.Duration, error) {
	if err := errors.Join(p.drained(ctx), ready()); err != nil {
		return 0, err
	}
	return p.deploy(ctx)
}

// standsBy waits until a replica stands by for the next release.
func (p *platform) standsBy(ctx context.Context) error {
	for {
		found, err := p.standbys(ctx)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			return p.settle(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for a replica to stand by: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// endStandby takes the replica away that stands by for the next release, as
// for an app that has not been deployed for a while.
func (p *platform) endStandby(ctx context.Context) error {
	if err := p.standsBy(ctx); err != nil {
		return err
	}
	found, err := p.standbys(ctx)
	if err == nil {
		_, err = docker(ctx, append([]string{"rm", "-f"}, found...)...)
	}
	return errors.Join(err, p.settle(ctx))
}

// standbys returns the containers that stand by for the next release.
func (p *platform) standbys(ctx context.Context) ([]string, error) {
	instance, err := p.folders.Instance()
	if err != nil {
		return nil, err
	}
	found, err := docker(ctx, "ps", "-q", "--filter", "label=kurama.instance="+instance, "--filter", "label=kurama.standby",
		"--filter", fmt.Sprintf("label=kurama.release=%d", p.app.version+1))
	return strings.Fields(found), err
}

// newByHand takes the image and the command from the live release, so that
// both sides start the very same thing.
func (p *platform) newByHand(ctx context.Context) (*byHand, error) {
	instance, err := p.folders.Instance()
	if err != nil {
		return nil, err
	}
	replica, err := docker(ctx, "ps", "-q", "--filter", "label=kurama.instance="+instance, "--filter", "label=kurama.app="+appName)
	if err != nil {
		return nil, err
	}
	if replica == "" {
		return nil, errors.New("the app has no replica whose image and command could be taken")
	}
	image, err := docker(ctx, "inspect", "-f", `{{.Config.Image}}`, strings.Fields(replica)[0])
	if err != nil {
		return nil, err
	}
	var release paas.Release
	if err := p.api.Call(ctx, http.MethodGet, fmt.Sprintf("/apps/%s/releases/%d", appName, p.app.version), nil, nil, &release); err != nil {
		return nil, err
	}
	command, err := json.Marshal(release.Start.Command)
	if err != nil {
		return nil, err
	}
	h := &byHand{label: byHandLabel + "=" + instance, network: "kurama-bench-" + instance, folder: filepath.Join(p.data, "byhand")}
	file := fmt.Sprintf("FROM %s\nLABEL %s\nWORKDIR /app\nENV PORT=8000 HOME=/tmp PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1\nCOPY . /app\nENTRYPOINT []\nCMD %s\n",
		image, h.label, command)
	err = errors.Join(os.MkdirAll(h.folder, 0o755), os.WriteFile(filepath.Join(h.folder, "Dockerfile"), []byte(file), 0o600))
	if err != nil {
		return nil, fmt.Errorf("writing the Dockerfile: %w", err)
	}
	if _, err := docker(ctx, "network", "create", "--label", h.label, h.network); err != nil {
		return nil, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	h.port = ports[0]
	h.run = []string{"run", "-d", "--label", h.label, "--network", h.network, "-p", "127.0.0.1:" + h.port + ":8000",
		"--user", "20001:20001", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--init",
		"--tmpfs", "/tmp:rw,noexec,nosuid,nodev,size=64m", "--memory", "256m", "--memory-swap", "256m", "--cpus", "1",
		"--pids-limit", "128", "--ulimit", "nofile=4096:4096", "--ulimit", "core=0:0",
		"--log-opt", "max-size=4m", "--log-opt", "max-file=5"}
	return h, nil
}

// deploy builds and runs a version and returns how long the build took, and
// the rest until the first answer.
func (h *byHand) deploy(ctx context.Context, version int) (build, start time.Duration, err error) {
	files := appFiles(version)
	files["requirements.txt"] = cmp.Or(h.requirements, files["requirements.txt"])
	for name, text := range files {
		path := filepath.Join(h.folder, name)
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, 0o644)); err != nil { // the app's user reads it
			return 0, 0, fmt.Errorf("writing the app: %w", err)
		}
	}
	began := time.Now()
	image, err := docker(ctx, slices.Concat([]string{"build", "-q"}, h.build, []string{h.folder})...)
	if err != nil {
		return 0, 0, err
	}
	build = time.Since(began)
	container, err := docker(ctx, append(h.run, image)...)
	if err != nil {
		return 0, 0, err
	}
	err = answers(ctx, "http://127.0.0.1:"+h.port+"/", fmt.Sprintf("version %d\n", version))
	start = time.Since(began) - build
	_, removed := docker(context.WithoutCancel(ctx), "rm", "-f", container)
	return build, start, errors.Join(err, removed)
}

// remove takes away all that was made by hand.
func (h *byHand) remove() error { return removeLabelled(h.label) }
