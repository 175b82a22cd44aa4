package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/docker/docker/client"
)

// PidFileEnv names a file that takes the process id of a Docker engine that
// Kurama had to start by itself, so that who asked for it can end it.
const PidFileEnv = "KURAMA_DOCKERD_PIDFILE"

const dockerLog = "/var/log/kurama-dockerd.log"

// checkDocker asks the engine for its version.
func checkDocker(ctx context.Context) error {
	c, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return fmt.Errorf("the address of the Docker engine cannot be used: %w", err)
	}
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := c.Ping(ctx); err == nil {
		return nil
	} else if os.Getenv("DOCKER_HOST") == "" && program("dockerd", "/usr/sbin/dockerd")(ctx) != nil {
		return ErrAbsent
	} else {
		return fmt.Errorf("it does not answer: %w", err)
	}
}

// startDocker starts the engine by systemd where there is one, by its init
// script otherwise, and as a process of its own where both fail.
func startDocker(ctx context.Context) error {
	if _, err := os.Stat("/run/systemd/system"); err == nil {
		name, args := asRoot("systemctl", []string{"start", "docker"})
		if err := exec.CommandContext(ctx, name, args...).Run(); err != nil {
			return fmt.Errorf("systemctl start docker: %w", err)
		}
		return waitDocker(ctx, 30*time.Second)
	}
	if program("service")(ctx) == nil {
		name, args := asRoot("service", []string{"docker", "start"})
		if exec.CommandContext(ctx, name, args...).Run() == nil && waitDocker(ctx, 10*time.Second) == nil {
			return nil
		}
	}
	if err := spawnDockerd(); err != nil {
		return err
	}
	return waitDocker(ctx, 30*time.Second)
}

// spawnDockerd starts the engine as a process that outlives this one: apps'
// containers must not stop because a terminal was closed.
func spawnDockerd() error {
	out, err := os.OpenFile(dockerLog, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening the engine's log: %w", err)
	}
	defer func() { _ = out.Close() }()
	name, args := asRoot("dockerd", nil)
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting dockerd: %w", err)
	}
	if path := os.Getenv(PidFileEnv); path != "" {
		if err := os.WriteFile(path, []byte(strconv.Itoa(cmd.Process.Pid)), 0o600); err != nil {
			return errors.Join(fmt.Errorf("noting the engine's process: %w", err), cmd.Process.Kill())
		}
	}
	return cmd.Process.Release()
}

func waitDocker(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var last error
	for ctx.Err() == nil {
		if last = checkDocker(ctx); last == nil {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
	return fmt.Errorf("it did not answer within %s: %w (see %s)", limit, last, dockerLog)
}
