// Package host knows what Kurama needs of the machine it runs on: how to see
// that it is there, how to install and start it, and what to say where that
// is not possible.
package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Need is one thing that the machine must have.
type Need struct {
	Name    string                          // as people call it
	Package string                          // Debian package that brings it
	Test    bool                            // only the tests need it
	Check   func(ctx context.Context) error // nil when it is there and works
	Start   func(ctx context.Context) error // makes an installed thing run; nil where there is nothing to start
	Manual  string                          // how to get it where Kurama cannot
}

// Report receives one line of progress; done lines carry how long it took.
type Report func(line string)

// Ensure installs and starts whatever need's Check misses. It returns an
// error of one sentence that says what is missing and how to get it.
func Ensure(ctx context.Context, needs []Need, report Report) error {
	if err := install(ctx, missing(ctx, needs), report); err != nil {
		return err
	}
	for _, n := range needs {
		if err := start(ctx, n, report); err != nil {
			return err
		}
	}
	return nil
}

func missing(ctx context.Context, needs []Need) []Need {
	var absent []Need
	for _, n := range needs {
		if errors.Is(n.Check(ctx), ErrAbsent) {
			absent = append(absent, n)
		}
	}
	return absent
}

// ErrAbsent says that a thing is not installed, as opposed to not running.
var ErrAbsent = errors.New("it is not installed")

func install(ctx context.Context, absent []Need, report Report) error {
	if len(absent) == 0 {
		return nil
	}
	names, packages := make([]string, len(absent)), make([]string, len(absent))
	for i, n := range absent {
		names[i], packages[i] = n.Name, n.Package
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("%s is missing and this is not Debian or Ubuntu: %s", absent[0].Name, absent[0].Manual)
	}
	begun := time.Now()
	report("installing " + strings.Join(names, ", ") + " (a minute or two)")
	// Package lists may be old or absent: try once with them, then with fresh ones.
	args := append([]string{"install", "-y", "--no-install-recommends"}, packages...)
	if apt(ctx, args...) != nil {
		if err := apt(ctx, "update"); err != nil {
			return fmt.Errorf("the package lists could not be updated: %w. %s", err, absent[0].Manual)
		}
		if err := apt(ctx, args...); err != nil {
			return fmt.Errorf("%s could not be installed: %w. %s", strings.Join(names, ", "), err, absent[0].Manual)
		}
	}
	report(fmt.Sprintf("✓ installed %s (%s)", strings.Join(names, ", "), time.Since(begun).Round(time.Second)))
	return nil
}

// apt runs apt-get without questions, through sudo where this is not root.
func apt(ctx context.Context, args ...string) error {
	name, args := asRoot("apt-get", args)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = io.Discard, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("apt-get %s: %w: %s", args[0], err, lastLine(out.String()))
	}
	return nil
}

// asRoot puts sudo before a command where this process is not root.
func asRoot(name string, args []string) (string, []string) {
	if os.Geteuid() == 0 {
		return name, args
	}
	return "sudo", append([]string{"-n", name}, args...)
}

func start(ctx context.Context, n Need, report Report) error {
	err := n.Check(ctx)
	if err == nil {
		return nil
	}
	if n.Start == nil {
		return fmt.Errorf("%s: %w. %s", n.Name, err, n.Manual)
	}
	begun := time.Now()
	report("starting " + n.Name)
	if err := n.Start(ctx); err != nil {
		return fmt.Errorf("%s could not be started: %w. %s", n.Name, err, n.Manual)
	}
	report(fmt.Sprintf("✓ started %s (%s)", n.Name, time.Since(begun).Round(100*time.Millisecond)))
	return nil
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
