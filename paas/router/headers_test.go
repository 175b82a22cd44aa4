package router

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestHostname(t *testing.T) {
	for host, want := range map[string]string{
		"hello.localhost": "hello.localhost", "Hello.LOCALHOST:8080": "hello.localhost", "hello.localhost.": "hello.localhost",
		"127.0.0.1:80": "127.0.0.1", "[::1]:8080": "::1", "[::1]": "::1", "::1": "::1", "": "", ":80": "", "a:b:c": "a:b:c",
	} {
		if got := hostname(host); got != want {
			t.Errorf("%q is %q, want %q", host, got, want)
		}
	}
}

func FuzzHostname(f *testing.F) {
	for _, host := range []string{"a.b:80", "[::1]:1", "A.", "::", "]:[", "[", ":"} {
		f.Add(host)
	}
	f.Fuzz(func(t *testing.T, host string) {
		got := hostname(host)
		if got != lowered(got) || len(got) > len(host) || hostname(got) != got && !strings.ContainsAny(got, ":[].") {
			t.Errorf("%q became %q", host, got)
		}
		if !strings.ContainsAny(host, "[]:.") && got != lowered(host) {
			t.Errorf("%q became %q", host, got)
		}
	})
}

func TestPrivateHeaders(t *testing.T) {
	for key, want := range map[string]bool{"X-Kurama-Start": true, "X_Kurama_Start": true, "x_kurama-exc": true, "X-Kurama": false, "X-Kuramas-A": false, "Accept": false} {
		if got := private(key); got != want {
			t.Errorf("private(%q) is %v", key, got)
		}
	}
	if !spoofs("X_forwarded_for") || spoofs("X-Forwarded-For") || spoofs("My_header") {
		t.Error("spoofs")
	}
}

func FuzzPrivateHeaders(f *testing.F) {
	f.Add("1763632800000000000 1500000 250000 /user/<id>", "a%0Ab%")
	f.Add("1763632800000000000 - 0 ", "")
	f.Add("-1 99999999999999999999 x", "")
	f.Fuzz(func(t *testing.T, request, exc string) {
		says := parsePrivate(http.Header{"X-Kurama-Request": {request}, "X-Kurama-Exc": {exc}})
		if says.cpu.Known && !(says.cpu.Value >= 0) || says.db.Known && !(says.db.Value >= 0) || !utf8.ValidString(says.route) {
			t.Errorf("%+v", says)
		}
	})
}

func TestRequestID(t *testing.T) {
	now := time.Now()
	for _, bad := range []string{"", "a b", "ä", strings.Repeat("x", 129), "a\x00"} {
		if got := requestID(http.Header{"X-Request-Id": {bad}}, now); got == bad || len(got) != 36 {
			t.Errorf("%q became %q", bad, got)
		}
	}
	if got := requestID(http.Header{"X-Request-Id": {"ok-1:2/3"}}, now); got != "ok-1:2/3" {
		t.Errorf("a sane id became %q", got)
	}
}
