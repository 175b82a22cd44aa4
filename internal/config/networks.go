package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// Networks are address ranges, written with commas: 10.1.0.0/16, 127.0.0.1/32.
type Networks string

// Contains reports whether one of the networks holds ip. What cannot be read
// holds nothing.
func (n Networks) Contains(ip netip.Addr) bool {
	prefixes, err := n.parse()
	if err != nil {
		return false
	}
	for _, p := range prefixes {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

func (n Networks) parse() (list []netip.Prefix, err error) {
	for text := range strings.SplitSeq(string(n), ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not a network, for example 10.1.0.0/16", text)
		}
		list = append(list, p)
	}
	return list, nil
}
