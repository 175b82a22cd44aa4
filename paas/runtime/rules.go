package runtime

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"

	"kurama/paas"
)

// private are the ranges that no app reaches unless an operator lists a part of
// them: the host's neighbours, metadata services, other containers. Answers to
// the router pass all the same.
var private = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
	"127.0.0.0/8", "0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4"}

// within reports whether all of p is private.
func within(p netip.Prefix) bool {
	return slices.ContainsFunc(private, func(r string) bool {
		q := netip.MustParsePrefix(r)
		return q.Contains(p.Addr()) && q.Bits() <= p.Bits()
	})
}

// opening is a destination of a list: a range, and ports (none: all). One that
// a name stands for comes from whoever owns the name, so that it never leads to
// the host.
type opening struct {
	to    netip.Prefix
	ports []uint16
	named bool
}

// passage is what the containers behind one bridge may reach.
type passage struct {
	bridge string
	mode   string
	open   []opening
}

// writer writes the rules of one chain in the form that iptables-restore takes.
type writer struct {
	chain string
	strings.Builder
}

func (w *writer) rule(format string, args ...any) {
	fmt.Fprintf(w, "-A %s %s\n", w.chain, fmt.Sprintf(format, args...))
}

func (w *writer) dns(from string, servers []netip.Addr) {
	for _, server := range servers {
		w.rule("%s-d %s -p udp --dport 53 -j RETURN", from, server)
		w.rule("%s-d %s -p tcp --dport 53 -j RETURN", from, server)
	}
}

func (w *writer) open(from string, o opening) {
	if len(o.ports) == 0 {
		w.rule("%s-d %s -j RETURN", from, o.to)
		return
	}
	ports := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(o.ports)), ","), "[]")
	for _, protocol := range []string{"tcp", "udp"} {
		w.rule("%s-d %s -p %s -m multiport --dports %s -j RETURN", from, o.to, protocol, ports)
	}
}

// rules writes both chains, which iptables-restore replaces at once.
func (f *firewall) rules(dns []netip.Addr) string {
	forward, input := f.chains()
	var all strings.Builder
	fmt.Fprintf(&all, "*filter\n:%s - [0:0]\n:%s - [0:0]\n", forward, input)
	for _, chain := range []string{forward, input} {
		w := &writer{chain: chain}
		w.rule("-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT")
		if f.most > 0 && !f.uncount {
			w.rule("-m connlimit --connlimit-above %d --connlimit-mask 32 -j DROP", f.most)
		}
		if chain == input && f.router > 0 {
			w.rule("-p tcp --dport %d -m addrtype --dst-type LOCAL --limit-iface-in -j RETURN", f.router)
		}
		for _, bridge := range slices.Sorted(maps.Keys(f.allowed)) {
			for _, a := range f.allowed[bridge] {
				w.rule("-i %s -d %s -p tcp --dport %d -j RETURN", bridge, a.Addr(), a.Port())
			}
		}
		for _, p := range f.tenants {
			p.write(w, dns, chain == input)
		}
		if f.egress != paas.EgressNone {
			w.dns("", dns)
		}
		if chain == input || f.egress == paas.EgressNone {
			w.rule("-j DROP")
		} else {
			for _, r := range private {
				w.rule("-d %s -j DROP", r)
			}
		}
		all.WriteString(w.String())
	}
	all.WriteString("COMMIT\n")
	return all.String()
}

// write writes the rules of one tenant, of which the first that fits decides.
// The host itself is reached only where its very address is listed.
func (p passage) write(w *writer, dns []netip.Addr, host bool) {
	from := "-i " + p.bridge + " "
	if p.mode == paas.EgressNone {
		w.rule("%s-j DROP", from)
		return
	}
	for _, o := range p.open {
		if within(o.to) && (!host || o.to.IsSingleIP()) {
			w.open(from, o)
		}
	}
	w.dns(from, dns)
	if host {
		for _, o := range p.open {
			if !within(o.to) && o.to.IsSingleIP() && !o.named {
				w.open(from, o)
			}
		}
		w.rule("%s-j DROP", from)
		return
	}
	for _, r := range private {
		w.rule("%s-d %s -j DROP", from, r)
	}
	if p.mode == paas.EgressOpen {
		w.rule("%s-j RETURN", from)
		return
	}
	for _, o := range p.open {
		if !within(o.to) {
			w.open(from, o)
		}
	}
	w.rule("%s-j DROP", from)
}

func sortPassages(all []passage) {
	slices.SortFunc(all, func(a, b passage) int { return cmp.Compare(a.bridge, b.bridge) })
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
