package runtime

import (
	"net/netip"
	"strings"
	"testing"

	"kurama/internal/config"
	"kurama/paas"
)

func TestFreeSubnet(t *testing.T) {
	f := func(pool string, size int, used []string, want string) {
		t.Helper()
		var prefixes []netip.Prefix
		for _, u := range used {
			prefixes = append(prefixes, netip.MustParsePrefix(u))
		}
		got, err := freeSubnet(config.Docker{NetworkPool: pool, NetworkSize: size}, prefixes)
		if want == "" {
			if err == nil {
				t.Errorf("%s/%d: got %s", pool, size, got)
			}
			return
		}
		if err != nil || got.String() != want {
			t.Errorf("%s/%d: got %s, %v", pool, size, got, err)
		}
	}
	f("10.213.0.0/16", 24, nil, "10.213.0.0/24")
	f("10.213.0.0/16", 24, []string{"10.213.0.0/24", "10.213.2.0/24"}, "10.213.1.0/24")
	f("10.213.0.0/16", 24, []string{"10.213.0.128/25", "10.213.1.0/28"}, "10.213.2.0/24")
	f("10.213.0.0/23", 24, []string{"10.213.0.0/24", "10.213.1.0/24"}, "")
	f("10.213.0.0/16", 24, []string{"10.0.0.0/8"}, "")
	f("10.213.0.0/24", 16, nil, "")
	f("fd00::/64", 24, nil, "")
	f("nonsense", 24, nil, "")
}

func TestBridgeName(t *testing.T) {
	name := bridgeName("abcdefgh", strings.Repeat("t", 40))
	if len(name) > 15 || !strings.HasPrefix(name, bridgePrefix("abcdefgh")) || name == bridgeName("abcdefgh", "other") {
		t.Errorf("got %q", name)
	}
}

func TestFirewallRules(t *testing.T) {
	f := firewall{instance: "abcdefgh", egress: "open"}
	f.allow("kr-build", []netip.AddrPort{netip.MustParseAddrPort("10.0.0.9:8443")})
	rules := f.rules([]netip.Addr{netip.MustParseAddr("10.0.0.2")})
	for _, want := range []string{":KURAMA-abcdefgh - [0:0]\n", ":KURAMA-abcdefgh-IN - [0:0]\n",
		"-A KURAMA-abcdefgh -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n",
		"-A KURAMA-abcdefgh -i kr-build -d 10.0.0.9 -p tcp --dport 8443 -j RETURN\n",
		"-A KURAMA-abcdefgh -d 10.0.0.2 -p udp --dport 53 -j RETURN\n",
		"-A KURAMA-abcdefgh -d 169.254.0.0/16 -j DROP\n", "-A KURAMA-abcdefgh-IN -j DROP\n"} {
		if !strings.Contains(rules, want) {
			t.Errorf("no rule %q in\n%s", want, rules)
		}
	}
	if strings.Contains(rules, "-A KURAMA-abcdefgh -j DROP\n") {
		t.Error("the internet is closed")
	}
	f.egress = "none"
	if rules := f.rules(nil); !strings.Contains(rules, "-A KURAMA-abcdefgh -j DROP\n") {
		t.Errorf("the internet is open:\n%s", rules)
	}
}

func TestCommand(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		if got := command(paas.Start{Shell: true, Command: []string{line}}); got[2] != want {
			t.Errorf("got %q", got)
		}
	}
	f("gunicorn app:app --bind 0.0.0.0:$PORT", "exec gunicorn app:app --bind 0.0.0.0:$PORT")
	f("python migrate.py && gunicorn app:app", "python migrate.py && gunicorn app:app")
	f("DEBUG=1 python app.py", "DEBUG=1 python app.py")
}

func TestParseListening(t *testing.T) {
	const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000 20001        0 1 1 0
   1: 00000000:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000 20001        0 2 1 0
   2: 0200D50A:1F40 0100D50A:C001 01 00000000:00000000 00:00000000 00000000 20001        0 3 1 0
`
	const tcp6 = `  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A
   1: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A
`
	got := append(parseListening(tcp), parseListening(tcp6)...)
	want := []paas.Socket{{IP: "127.0.0.1", Port: 5000}, {IP: "0.0.0.0", Port: 8000}, {IP: "::", Port: 8080}, {IP: "::1", Port: 8081}}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %v, not %v", got[i], want[i])
		}
	}
}

func FuzzParseListening(f *testing.F) {
	f.Add("0: 0100007F:1388 00000000:0000 0A")
	f.Fuzz(func(_ *testing.T, text string) { parseListening(text) })
}
