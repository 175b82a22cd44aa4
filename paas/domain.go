package paas

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"time"
)

// Domain is a host of an app's own, or a path below one, such as
// shop.example.org or example.org/shop.
type Domain struct {
	Tenant    string     `json:"-"`
	App       string     `json:"-"`
	Name      string     `json:"domain"`
	Active    bool       `json:"active" doc:"It leads to the app: its tenant has shown that the host is theirs"`
	Says      string     `json:"says,omitempty" doc:"Why it is not active, and what to do"`
	CheckedAt *time.Time `json:"checked_at,omitempty"`
}

// SplitDomain parts a domain into its host and its path; the path is empty, or
// begins with a slash and does not end with one.
func SplitDomain(name string) (host, path string) {
	if i := strings.IndexByte(name, '/'); i >= 0 {
		return name[:i], name[i:]
	}
	return name, ""
}

// maxPath bounds the path of a domain, bytes.
const maxPath = 100

var (
	hostName  = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$`)
	pathBelow = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`)
)

// CheckDomain returns *Invalid with the reason why an app cannot answer on
// name: hosts below domain, which the platform gives out itself, addresses, and
// paths that a browser would write in another way.
func CheckDomain(name, domain string) error {
	host, path := SplitDomain(name)
	_, err := netip.ParseAddr(host)
	switch {
	case err == nil || len(host) > 253 || !hostName.MatchString(host):
		return &Invalid{Reason: fmt.Sprintf("%q cannot be a domain of an app: write a host name in lower case, without a port, such as shop.example.org, or a path below one, such as example.org/shop.", name)}
	case host == domain || strings.HasSuffix(host, "."+domain) || strings.HasSuffix(host, ".localhost"):
		return &Invalid{Reason: fmt.Sprintf("%s is below %s, where Kurama gives out the names itself.", host, domain)}
	case path != "" && (len(path) > maxPath || !pathBelow.MatchString(path)):
		return &Invalid{Reason: fmt.Sprintf("%q cannot be the path of an app: write it without a slash at its end, as /shop or /shop/v2, of letters, digits and -._~, at most %d bytes.", path, maxPath)}
	}
	return nil
}
