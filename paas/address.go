package paas

import (
	"net"
	"net/netip"
	"slices"
	"strings"
)

// ClientAddress returns the address that a request came from: remote, the
// host:port at the other end of the connection, or, where that is a trusted
// proxy, the last address of the X-Forwarded-For header that is not one. What
// stands before it was written by the client and may be false. The result is
// not valid where remote cannot be read.
func ClientAddress(remote, forwarded string, trusted []netip.Prefix) netip.Addr {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	at := parseAddress(host)
	hops := strings.Split(forwarded, ",")
	for i := len(hops) - 1; i >= 0 && within(at, trusted); i-- {
		hop := parseAddress(strings.TrimSpace(hops[i]))
		if !hop.IsValid() {
			break
		}
		at = hop
	}
	return at
}

func parseAddress(s string) netip.Addr {
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

func within(a netip.Addr, prefixes []netip.Prefix) bool {
	return a.IsValid() && slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}
