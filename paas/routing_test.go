package paas

import (
	"strings"
	"testing"
)

func TestCheckDomain(t *testing.T) {
	for host, want := range map[string]bool{"shop.example.org": true, "xn--bcher-kva.example": true, "example.org/shop": true, "example.org/shop/v2.1": true, "example.org/": false, "example.org/a/": false, "example.org//a": false, "example.org/..": false, "example.org/a/.b": false, "example.org/a?b": false, "example.org/a%20b": false, "a.b.c.example": true,
		"": false, "localhost": false, "shop.apps.example": false, "apps.example": false, "x.localhost": false, "Shop.example.org": false,
		"10.0.0.1": false, "::1": false, "shop.example.org:80": false, "*.example.org": false, "-a.example.org": false} {
		if err := CheckDomain(host, "apps.example"); (err == nil) != want {
			t.Errorf("%q: %v", host, err)
		}
	}
}

func TestBasicPassword(t *testing.T) {
	stored, err := HashBasic("correct horse")
	if err != nil || strings.Contains(stored, "horse") || !MatchBasic(stored, "correct horse") || MatchBasic(stored, "correct hors") || MatchBasic("", "") {
		t.Errorf("%q, %v", stored, err)
	}
	if _, err := HashBasic("short"); err == nil {
		t.Error("a short one is taken")
	}
}
