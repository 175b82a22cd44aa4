package router

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"kurama/paas"
)

// TestInside has this host's loopback network be a tenant's: each request
// comes from a container of it, as far as the router sees.
func TestInside(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("X-Kurama-Caller"))
	}))
	t.Cleanup(app.Close)
	b := start(t, testConfig())
	target := []paas.Target{{Replica: "x-1-aaaaaa", Release: 1, Address: strings.TrimPrefix(app.URL, "http://")}}
	hash, err := paas.HashBasic("correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	gate := paas.Gate{User: "team", Password: hash}
	table := paas.Table{Version: 1, Routes: []paas.Route{
		{Tenant: "acme", App: "shop", Hosts: []string{"shop.acme.localhost"}, State: paas.AppRunning, Targets: target, Gate: gate},
		{Tenant: "other", App: "bank", Hosts: []string{"bank.other.localhost"}, State: paas.AppRunning, Targets: target},
	}, Networks: []paas.Network{{Tenant: "other", Range: netip.MustParsePrefix("10.213.0.0/24")}, {Tenant: "acme", Range: netip.MustParsePrefix("127.0.0.0/24")}}}
	if err := b.client.Apply(t.Context(), table); err != nil {
		t.Fatal(err)
	}
	ask := func(host string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), "GET", b.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		r.Header.Set("X-Kurama-Caller", "forged")
		resp, err := b.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	if status, body := ask("SHOP.internal:8080"); status != 200 || body == "forged" {
		t.Errorf("its tenant's app answers %d %q", status, body)
	}
	for _, host := range []string{"bank.internal", "bank.other.localhost", "shop.acme.localhost", "other/bank.internal", "../other/bank.internal", "internal", ".internal"} {
		if status, body := ask(host); status != 404 {
			t.Errorf("%s answers %d %q", host, status, body)
		}
	}
	table.Version, table.Networks = 2, table.Networks[:1]
	if err := b.client.Apply(t.Context(), table); err != nil {
		t.Fatal(err)
	}
	if status, _ := ask("shop.internal"); status != 404 {
		t.Errorf("from outside the internal name answers %d", status)
	}
	if status, body := ask("bank.other.localhost"); status != 200 || body != "" {
		t.Errorf("from outside an app answers %d, told of the caller %q", status, body)
	}
}
