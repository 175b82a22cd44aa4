package paas

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// The ways in which the apps of a tenant may reach out.
const (
	EgressOpen   = "open"   // the internet, no private address but those that are listed
	EgressListed = "listed" // nothing but what is listed
	EgressNone   = "none"   // nothing
)

// Egress says what the apps of a tenant may reach beside answering requests.
type Egress struct {
	Mode string `json:"mode" enum:"open,listed,none"`

	// Allow are destinations: a name, an IPv4 address or a range such as
	// 203.0.113.0/24, and after a colon the ports, with commas between; without
	// ports all of them.
	Allow []string `json:"allow" nullable:"false"`
}

// Destination is one entry of Egress.Allow.
type Destination struct {
	Name   string       // empty: Prefix
	Prefix netip.Prefix // where Name is empty
	Ports  []uint16     // empty: all
}

// Bounds of a list: the kernel goes through it for each new connection.
const (
	maxDestinations = 64
	maxPorts        = 15 // of one rule of the packet filter (iptables-extensions, multiport)
)

// linkLocal holds the metadata services of clouds, which give credentials away.
var linkLocal = netip.MustParsePrefix("169.254.0.0/16")

// Destinations reads the list. It returns *Invalid for a policy that is none.
func (e Egress) Destinations() ([]Destination, error) {
	switch {
	case e.Mode != EgressOpen && e.Mode != EgressListed && e.Mode != EgressNone:
		return nil, &Invalid{Reason: fmt.Sprintf("%q is no way to reach out: it is open, listed or none.", e.Mode)}
	case e.Mode == EgressNone && len(e.Allow) > 0:
		return nil, &Invalid{Reason: "With none there is nothing to list. Use listed to allow some destinations only."}
	case len(e.Allow) > maxDestinations:
		return nil, &Invalid{Reason: fmt.Sprintf("%d destinations are listed, and %d are possible. Join addresses to ranges.", len(e.Allow), maxDestinations)}
	}
	list := make([]Destination, len(e.Allow))
	for i, text := range e.Allow {
		d, err := parseDestination(text)
		if err != nil {
			return nil, err
		}
		list[i] = d
	}
	return list, nil
}

func parseDestination(text string) (d Destination, err error) {
	where, ports, some := strings.Cut(strings.ToLower(text), ":")
	if some {
		if d.Ports, err = parsePorts(text, ports); err != nil {
			return d, err
		}
	}
	if a, err := netip.ParseAddr(where); err == nil {
		d.Prefix = netip.PrefixFrom(a, a.BitLen())
	} else if p, err := netip.ParsePrefix(where); err == nil {
		d.Prefix = p.Masked()
	} else if len(where) <= 253 && hostName.MatchString(where) {
		d.Name = where
		return d, nil
	}
	switch {
	case !d.Prefix.IsValid() || !d.Prefix.Addr().Is4():
		return d, &Invalid{Reason: fmt.Sprintf("%q is no destination: write a name, an IPv4 address or a range, and ports after a colon, as in api.example.org:443 or 203.0.113.0/24:5432,5433. Apps have no IPv6.", text)}
	case linkLocal.Overlaps(d.Prefix) && d.Prefix.Bits() >= linkLocal.Bits():
		return d, &Invalid{Reason: fmt.Sprintf("%q cannot be allowed: the metadata service of a cloud answers in %s and gives the host's credentials away.", text, linkLocal)}
	}
	return d, nil
}

func parsePorts(text, list string) ([]uint16, error) {
	var ports []uint16
	for part := range strings.SplitSeq(list, ",") {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil || n == 0 || len(ports) == maxPorts {
			return nil, &Invalid{Reason: fmt.Sprintf("%q has no good list of ports: numbers from 1 to 65535 with commas between, %d at most.", text, maxPorts)}
		}
		ports = append(ports, uint16(n))
	}
	slices.Sort(ports)
	return slices.Compact(ports), nil
}

// Wall is what stands around the replicas of one tenant.
type Wall struct {
	Egress    Egress // Mode is empty where the installation's default applies
	CPUWeight int    // of the tenant beside others while the cores are busy; 0: DefaultCPUWeight
}

// DefaultCPUWeight is the share of a tenant that was given none.
const DefaultCPUWeight = 100

// Lookup is what a listed name stands for at present.
type Lookup struct {
	Name      string   `json:"name"`
	Addresses []string `json:"addresses" nullable:"false"`
	Says      string   `json:"says"` // what is wrong with it; empty: nothing
}
