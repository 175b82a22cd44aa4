package host

import (
	"context"
	"errors"
	"fmt"
	"os/exec"

	"kurama/internal/postgres"
)

// Needs lists what Kurama needs; bin is the configured folder of PostgreSQL's
// programs. With test it also lists what the tests need.
func Needs(bin string, test bool) []Need {
	needs := []Need{
		{
			Name: "the Docker engine", Package: "docker.io", Check: checkDocker, Start: startDocker,
			Manual: "Install it as https://docs.docker.com/engine/install says, start it, and make sure that you may use it (`docker info`).",
		},
		{
			Name: "iptables", Package: "iptables", Check: program("iptables", "/usr/sbin/iptables", "/sbin/iptables"),
			Manual: "Install the package iptables: Kurama keeps apps away from this host's services with it.",
		},
		{
			Name: "PostgreSQL", Package: "postgresql",
			Check: func(context.Context) error {
				if _, err := postgres.FindBinaries(bin); err != nil {
					return fmt.Errorf("%w: %w", ErrAbsent, err)
				}
				return nil
			},
			Manual: "Install PostgreSQL 13 or newer, or set database.url in kuramaconfig.yaml to a server that you have.",
		},
		{
			Name: "mmdebstrap", Package: "mmdebstrap", Check: program("mmdebstrap"),
			Manual: "Install the package mmdebstrap, or set build.base in kuramaconfig.yaml to an image with Python 3.",
		},
		{
			Name: "git", Package: "git", Check: program("git"),
			Manual: "Install the package git: without it `git push` to apps is refused. All else works.",
		},
	}
	if test {
		needs = append(needs,
			Need{Name: "Chromium", Package: "chromium", Test: true, Check: program("chromium"), Manual: "Install Chromium: the browser test needs it."},
			Need{Name: "Python's venv", Package: "python3-venv", Test: true, Check: checkVenv, Manual: "Install Python 3 with its venv module: the SDK's tests need it."},
			Need{Name: "wrk", Package: "wrk", Test: true, Check: program("wrk"), Manual: "Install the package wrk: `make bench` loads the router with it."},
		)
	}
	return needs
}

// program returns a check that name is on PATH or at one of the places.
func program(name string, places ...string) func(context.Context) error {
	return func(context.Context) error {
		for _, p := range append([]string{name}, places...) {
			if _, err := exec.LookPath(p); err == nil {
				return nil
			}
		}
		return ErrAbsent
	}
}

func checkVenv(ctx context.Context) error {
	if err := exec.CommandContext(ctx, "python3", "-c", "import venv, ensurepip").Run(); err != nil {
		return errors.Join(ErrAbsent, err)
	}
	return nil
}
