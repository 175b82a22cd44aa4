package paas

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestEgressDestinations(t *testing.T) {
	f := func(entry, want string) {
		t.Helper()
		list, err := Egress{Mode: EgressListed, Allow: []string{entry}}.Destinations()
		got := fmt.Sprint(list, err)
		if err == nil {
			got = fmt.Sprintf("%s%v %v", list[0].Name, list[0].Prefix, list[0].Ports)
		} else if bad, ok := errors.AsType[*Invalid](err); ok {
			got = bad.Reason
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s", entry, got)
		}
	}
	f("203.0.113.7", "203.0.113.7/32 []")
	f("203.0.113.77/24:5433,5432,5432", "203.0.113.0/24 [5432 5433]")
	f("API.example.org:443", "api.example.orginvalid Prefix [443]")
	f("10.1.2.3:5432", "10.1.2.3/32 [5432]")
	f("0.0.0.0/0:443", "0.0.0.0/0 [443]")
	for _, bad := range []string{"", "localhost", "a..b", "-a.b", "300.1.1.1", "2001:db8::1", "exa mple.org", "a.b/24", "x.org:22,"} {
		f(bad, fmt.Sprintf("%q ", bad))
	}
	f("x.org:0", `"x.org:0" has no good list of ports`)
	f("x.org:1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", `"x.org:1,2`)
	f("169.254.169.254", `"169.254.169.254" cannot be allowed: the metadata service`)
	for _, e := range []Egress{{Mode: "shut"}, {}, {Mode: EgressNone, Allow: []string{"a.b"}}, {Mode: EgressListed, Allow: make([]string, 65)}} {
		if _, err := e.Destinations(); err == nil {
			t.Errorf("%+v passes", e)
		}
	}
}

func FuzzDestination(f *testing.F) {
	f.Add("api.example.org:443")
	f.Add("10.0.0.0/8:1,2")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := Egress{Mode: EgressListed, Allow: []string{text}}.Destinations()
		if err != nil {
			return
		}
		d := list[0]
		if (d.Name == "") == !d.Prefix.IsValid() || strings.ContainsAny(d.Name, " \n-;|") && !hostName.MatchString(d.Name) {
			t.Errorf("%q became %+v", text, d)
		}
	})
}
