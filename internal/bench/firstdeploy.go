package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

const firstRounds = 3

// certificates are those of this host, by which an index may be reached.
const certificates = "/etc/ssl/certs/ca-certificates.crt"

// measureFirst deploys new apps that ask for a Flask newer than the base
// image's, with nothing kept of earlier installations, by Kurama and by hand.
func (p *platform) measureFirst(ctx context.Context, b *bench, like *byHand) error {
	hand, err := p.firstByHand(like)
	if err != nil {
		return err
	}
	var kurama, docker []float64
	for round := range firstRounds {
		if err := errors.Join(os.RemoveAll(filepath.Join(p.data, "wheels")), p.settle(ctx)); err != nil {
			return err
		}
		name := fmt.Sprintf("first%d", round)
		files := appFiles(round)
		files["requirements.txt"] = fmt.Sprintf("flask>=3,!=99.%d\n", round) // no two rounds share a layer
		took, err := p.upload(ctx, name, round, files)
		if err == nil {
			err = p.api.Call(ctx, http.MethodDelete, "/apps/"+name, nil, nil, nil)
		}
		if err = errors.Join(err, p.settle(ctx)); err != nil {
			return err
		}
		built, started, err := hand.deploy(ctx, round)
		if err != nil {
			return err
		}
		kurama, docker = append(kurama, took.Seconds()), append(docker, (built+started).Seconds())
	}
	b.report.add(figure{Section: "deploy", Name: "first deploy with Flask from the index, until the first 200", Unit: "s", Runs: kurama,
		Peer: "docker build --no-cache + run + first 200", PeerRuns: docker, Aim: valueAtMost(5)})
	return nil
}

// firstByHand is like another deploy by hand, but for a Dockerfile that installs.
func (p *platform) firstByHand(like *byHand) (*byHand, error) {
	h := *like
	h.folder, h.build = filepath.Join(p.data, "byhand-first"), []string{"--no-cache"}
	file, err := os.ReadFile(filepath.Join(like.folder, "Dockerfile"))
	if err != nil {
		return nil, fmt.Errorf("reading the Dockerfile: %w", err)
	}
	if err := os.MkdirAll(h.folder, 0o755); err != nil {
		return nil, fmt.Errorf("writing the Dockerfile: %w", err)
	}
	install := "ENV PATH=/opt/deps/bin:/usr/local/bin:/usr/bin:/bin\n"
	for _, name := range []string{"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		if value := os.Getenv(name); value != "" {
			install += "ARG " + name + "\n"
			h.build = append(h.build, "--build-arg", name+"="+value)
		}
	}
	if known, err := os.ReadFile(certificates); err == nil {
		if err := os.WriteFile(filepath.Join(h.folder, "ca.crt"), known, 0o600); err != nil {
			return nil, fmt.Errorf("writing the Dockerfile: %w", err)
		}
		install += "COPY ca.crt " + certificates + "\nENV PIP_CERT=" + certificates + "\n"
	}
	install += "COPY requirements.txt /\nRUN python3 -m venv --system-site-packages /opt/deps && pip install -r /requirements.txt\n"
	text := strings.Replace(string(file), "COPY . /app\n", install+"COPY app.py /app/\n", 1)
	if err := os.WriteFile(filepath.Join(h.folder, "Dockerfile"), []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("writing the Dockerfile: %w", err)
	}
	h.requirements = "flask>=3\n"
	return &h, nil
}
