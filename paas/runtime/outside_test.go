package runtime

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"kurama/paas"
)

func TestLookUps(t *testing.T) {
	var answer []netip.Addr
	var failure error
	o := &outside{walls: map[string]paas.Wall{"acme": {Egress: paas.Egress{Mode: paas.EgressListed, Allow: []string{"api.example.org:443", "203.0.113.0/24"}}}},
		lookUp: func(context.Context, string) ([]netip.Addr, error) { return answer, failure }}
	now := time.Now()
	ask := func(after time.Duration, err error, addresses ...string) (open []string) {
		t.Helper()
		answer, failure = nil, err
		for _, a := range addresses {
			answer = append(answer, netip.MustParseAddr(a))
		}
		o.resolve(t.Context(), now.Add(after))
		for _, p := range o.passages("abcdefgh") {
			for _, way := range p.open {
				open = append(open, fmt.Sprintf("%s%d%t", way.to, way.ports, way.named))
			}
		}
		slices.Sort(open)
		return open
	}
	expect := func(what string, got []string, named ...string) {
		t.Helper()
		want := []string{"203.0.113.0/24[]false"}
		for _, address := range named {
			want = append(want, address+"/32[443]true")
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v is open, not %v", what, got, want)
		}
	}
	expect("the first answer", ask(0, nil, "198.51.100.1"), "198.51.100.1")
	expect("soon after nobody is asked", ask(lookUpEvery-time.Second, nil, "198.51.100.9"), "198.51.100.1")
	expect("another answer is added", ask(lookUpEvery, nil, "198.51.100.2"), "198.51.100.1", "198.51.100.2")
	expect("a failure closes nothing at once", ask(2*lookUpEvery, &net.DNSError{Err: "no such host", Server: "10.0.0.2:53"}), "198.51.100.1", "198.51.100.2")
	if says := o.names["api.example.org"].says; says != "The name could not be looked up: no such host." {
		t.Errorf("it says %q", says)
	}
	expect("what was not answered for long is closed", ask(answerKept+lookUpEvery+time.Second, nil, "198.51.100.3"), "198.51.100.3")
	expect("private addresses stay closed", ask(2*answerKept+time.Minute+2*lookUpEvery, nil, "127.0.0.1", "169.254.169.254", "10.0.0.1"))
}
