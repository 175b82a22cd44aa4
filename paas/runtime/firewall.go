package runtime

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// private are the ranges that no app reaches: the host's neighbours, metadata
// services, other containers. Answers to the router pass all the same.
var private = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
	"127.0.0.0/8", "0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4"}

// firewall keeps an installation's containers from the host and from private
// addresses by iptables rules in two chains of its own.
type firewall struct {
	instance string
	egress   string // open or none
	log      *slog.Logger
	allowed  map[string][]netip.AddrPort // by bridge
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
	forward, input := f.chains()
	err := iptables(ctx, "iptables-restore", f.rules(resolvers()), "--wait", "5", "--noflush")
	for _, hook := range []struct{ at, chain string }{{"DOCKER-USER", forward}, {"INPUT", input}} {
		if err == nil {
			err = f.hook(ctx, hook.at, hook.chain)
		}
	}
	if err != nil {
		f.warned.Do(func() {
			f.log.Warn("apps can reach the host and private addresses: the packet filter could not be set. Install iptables and run Kurama as root to close this.",
				"error", err)
		})
	}
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
	if iptables(ctx, "iptables", "", append([]string{"--wait", "5", "-C", at}, jump...)...) == nil {
		return nil
	}
	return iptables(ctx, "iptables", "", append([]string{"--wait", "5", "-I", at, "1"}, jump...)...)
}

// remove takes the rules away again; what is not there is no error.
func (f *firewall) remove(ctx context.Context) {
	forward, input := f.chains()
	_ = iptables(ctx, "iptables", "", "--wait", "5", "-D", "DOCKER-USER", "-i", f.interfaces(), "-j", forward)
	_ = iptables(ctx, "iptables", "", "--wait", "5", "-D", "INPUT", "-i", f.interfaces(), "-j", input)
	for _, chain := range []string{forward, input} {
		_ = iptables(ctx, "iptables", "", "--wait", "5", "-F", chain)
		_ = iptables(ctx, "iptables", "", "--wait", "5", "-X", chain)
	}
}

func iptables(ctx context.Context, program, input string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	path, err := exec.LookPath(program)
	if err != nil {
		path = "/usr/sbin/" + program // not on the PATH of every service manager
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
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
