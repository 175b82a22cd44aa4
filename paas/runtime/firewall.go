package runtime

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// firewall keeps an installation's containers from the host, whichever of its
// addresses they use, and from private addresses by iptables rules in two
// chains of its own.
type firewall struct {
	instance string
	egress   string // open or none: of tenants without a policy of their own
	most     int    // connections of one container at a time; 0: no bound
	router   int    // port of the router, which containers reach on their own bridge; 0: none
	log      *slog.Logger
	allowed  map[string][]netip.AddrPort // by bridge
	tenants  []passage                   // those with a policy of their own
	written  string                      // the rules as they were set
	applied  []string                    // what iptables-save shows of the rules when they are in force
	warned   sync.Once
	uncount  bool // the kernel cannot count connections
}

func (f *firewall) allow(bridge string, to []netip.AddrPort) {
	if f.allowed == nil {
		f.allowed = map[string][]netip.AddrPort{}
	}
	f.allowed[bridge] = to
}

func (f *firewall) chains() (forward, input string) {
	return "KURAMA-" + f.instance, "KURAMA-" + f.instance + "-IN"
}

func (f *firewall) interfaces() string { return bridgePrefix(f.instance) + "+" }

// apply puts the rules in force; doing so again changes nothing. A host
// without iptables, or without the right to use it, is told once, because the
// other walls (no inter-container traffic, no published ports) still stand.
func (f *firewall) apply(ctx context.Context) {
	err := f.set(ctx)
	if err == nil {
		f.applied, err = f.inForce(ctx)
	}
	if err != nil {
		f.warned.Do(func() {
			f.log.Warn("apps can reach the host and private addresses: the packet filter could not be set. Install iptables and run Kurama as root to close this.",
				"error", err)
		})
	}
}

func (f *firewall) set(ctx context.Context) error {
	forward, input := f.chains()
	if err := f.restore(ctx); err != nil {
		return err
	}
	// The engine makes this chain and its hook at its start, and not again
	// after somebody has flushed them.
	if _, err := iptables(ctx, "iptables", "", "--wait", "5", "-C", "FORWARD", "-j", userChain); err != nil {
		_, _ = iptables(ctx, "iptables", "", "--wait", "5", "-N", userChain)
		if _, err := iptables(ctx, "iptables", "", "--wait", "5", "-I", "FORWARD", "1", "-j", userChain); err != nil {
			return err
		}
	}
	if err := f.hook(ctx, userChain, forward); err != nil {
		return err
	}
	return f.hook(ctx, "INPUT", input)
}

// restore replaces both chains. A kernel that cannot count connections refuses
// all of the rules; then the others stand without that one.
func (f *firewall) restore(ctx context.Context) error {
	f.written = f.rules(resolvers())
	_, err := iptables(ctx, "iptables-restore", f.written, "--wait", "5", "--noflush")
	if err == nil || f.most == 0 || f.uncount {
		return err
	}
	f.uncount = true
	f.written = f.rules(resolvers())
	if _, again := iptables(ctx, "iptables-restore", f.written, "--wait", "5", "--noflush"); again != nil {
		f.uncount = false
		return err
	}
	f.log.Warn("an app can use up the host's table of connections: this kernel has no connlimit for iptables", "error", err)
	return nil
}

// userChain is the one of the engine's chains in which others' rules come
// before its own.
const userChain = "DOCKER-USER"

// inForce returns the rules that matter here as they are now.
func (f *firewall) inForce(ctx context.Context) ([]string, error) {
	saved, err := iptables(ctx, "iptables-save", "", "-t", "filter")
	if err != nil {
		return nil, err
	}
	forward, _ := f.chains() // the other's name begins with it
	var rules []string
	for line := range strings.Lines(saved) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "-A ") && strings.Contains(line, forward) || line == "-A FORWARD -j "+userChain {
			rules = append(rules, line)
		}
	}
	return rules, nil
}

// check sets the rules again when they are not as they were set, or should be
// others by now.
func (f *firewall) check(ctx context.Context) {
	if f.applied != nil && f.written == f.rules(resolvers()) {
		now, err := f.inForce(ctx)
		if err == nil && slices.Equal(now, f.applied) || ctx.Err() != nil {
			return
		}
		if err == nil {
			f.log.Warn("the packet filter around the apps was changed by other hands and is set again", "rules", len(now), "before", len(f.applied))
		}
	}
	f.apply(ctx)
}

func (f *firewall) hook(ctx context.Context, at, chain string) error {
	jump := []string{"-i", f.interfaces(), "-j", chain}
	if _, err := iptables(ctx, "iptables", "", append([]string{"--wait", "5", "-C", at}, jump...)...); err == nil {
		return nil
	}
	_, err := iptables(ctx, "iptables", "", append([]string{"--wait", "5", "-I", at, "1"}, jump...)...)
	return err
}

// remove takes the rules away again; what is not there is no error.
func (f *firewall) remove(ctx context.Context) {
	forward, input := f.chains()
	away := func(args ...string) {
		_, _ = iptables(ctx, "iptables", "", append([]string{"--wait", "5"}, args...)...)
	}
	away("-D", userChain, "-i", f.interfaces(), "-j", forward)
	away("-D", "INPUT", "-i", f.interfaces(), "-j", input)
	for _, chain := range []string{forward, input} {
		away("-F", chain)
		away("-X", chain)
	}
	f.applied = nil
}

// iptables runs one of the programs of that name and returns what it printed.
func iptables(ctx context.Context, program, input string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	path, err := exec.LookPath(program)
	if err != nil {
		path = "/usr/sbin/" + program // not on the PATH of every service manager
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = strings.NewReader(input)
	var out, failure bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &failure
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, bytes.TrimSpace(failure.Bytes()))
	}
	return out.String(), nil
}
