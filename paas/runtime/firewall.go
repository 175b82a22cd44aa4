package runtime

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// private are the ranges that no app reaches: the host's neighbours, metadata
// services, other containers. Answers to the router pass all the same.
var private = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
	"127.0.0.0/8", "0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4"}

// firewall keeps an installation's containers from the host, whichever of its
// addresses they use, and from private addresses by iptables rules in two
// chains of its own.
type firewall struct {
	instance string
	egress   string // open or none
	log      *slog.Logger
	allowed  map[string][]netip.AddrPort // by bridge
	applied  []string                    // what iptables-save shows of the rules when they are in force
	warned   sync.Once
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
	if _, err := iptables(ctx, "iptables-restore", f.rules(resolvers()), "--wait", "5", "--noflush"); err != nil {
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

// check sets the rules again when they are not as they were set.
func (f *firewall) check(ctx context.Context) {
	if f.applied != nil {
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

// rules writes both chains in the form that iptables-restore takes, which
// replaces them at once.
func (f *firewall) rules(dns []netip.Addr) string {
	forward, input := f.chains()
	var b strings.Builder
	fmt.Fprintf(&b, "*filter\n:%s - [0:0]\n:%s - [0:0]\n", forward, input)
	for _, chain := range []string{forward, input} {
		rule := func(format string, args ...any) {
			fmt.Fprintf(&b, "-A %s %s\n", chain, fmt.Sprintf(format, args...))
		}
		rule("-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT")
		for bridge, addresses := range f.allowed {
			for _, a := range addresses {
				rule("-i %s -d %s -p tcp --dport %d -j RETURN", bridge, a.Addr(), a.Port())
			}
		}
		if f.egress != "none" {
			for _, server := range dns {
				rule("-d %s -p udp --dport 53 -j RETURN", server)
				rule("-d %s -p tcp --dport 53 -j RETURN", server)
			}
		}
		if chain == input || f.egress == "none" {
			rule("-j DROP")
			continue
		}
		for _, r := range private {
			rule("-d %s -j DROP", r)
		}
	}
	b.WriteString("COMMIT\n")
	return b.String()
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

// resolvers returns the host's name servers that containers are given too; the
// engine passes loopback ones over in favour of systemd-resolved's own list.
func resolvers() []netip.Addr {
	var servers []netip.Addr
	for _, file := range []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) < 2 || f[0] != "nameserver" {
				continue
			}
			if a, err := netip.ParseAddr(f[1]); err == nil && a.Is4() && !a.IsLoopback() {
				servers = append(servers, a)
			}
		}
	}
	return servers
}
