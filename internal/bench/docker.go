package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// docker runs the command line tool, as a person does, and returns what it printed.
func docker(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "docker", args...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("docker %s: %w: %s", args[0], err, strings.TrimSpace(errs.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

// removeLabelled removes the containers, networks and images with a label.
func removeLabelled(label string) error {
	ctx := context.Background() // also after Ctrl-C
	var failed error
	for _, kind := range []struct{ list, remove []string }{
		{[]string{"ps", "-aq"}, []string{"rm", "-f"}},
		{[]string{"network", "ls", "-q"}, []string{"network", "rm"}},
		{[]string{"images", "-q"}, []string{"rmi", "-f"}},
	} {
		out, err := docker(ctx, append(kind.list, "--filter", "label="+label)...)
		if err == nil && out != "" {
			_, err = docker(ctx, append(kind.remove, unique(strings.Fields(out))...)...)
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

func unique(list []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, one := range list {
		if !seen[one] {
			seen[one] = true
			out = append(out, one)
		}
	}
	return out
}
