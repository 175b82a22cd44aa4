package paas

import (
	"net/netip"
	"testing"
)

func TestClientAddress(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	f := func(remote, forwarded, want string) {
		t.Helper()
		if got := ClientAddress(remote, forwarded, trusted); got.String() != want {
			t.Errorf("%s with %q: got %s, want %s", remote, forwarded, got, want)
		}
	}
	f("192.0.2.1:99", "", "192.0.2.1")
	f("192.0.2.1:99", "8.8.8.8", "192.0.2.1") // a client that claims to be another
	f("10.1.1.1:99", "8.8.8.8, 192.0.2.1", "192.0.2.1")
	f("10.1.1.1:99", "8.8.8.8, 192.0.2.1, 10.2.2.2", "192.0.2.1")
	f("[::1]:99", "2001:db8::5", "2001:db8::5")
	f("[::ffff:10.1.1.1]:99", "192.0.2.1", "192.0.2.1")
	f("10.1.1.1:99", "nonsense", "10.1.1.1")
	f("@", "", "invalid IP")
}
