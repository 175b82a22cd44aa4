package e2e

import (
	"fmt"
	"os"
	"testing"

	"github.com/oauth2-proxy/mockoidc"
)

// TestTheProvidersButtons signs in and joins in a browser, by a provider that
// runs in this process.
func TestTheProvidersButtons(t *testing.T) {
	provider, err := mockoidc.Run()
	must(t, err)
	t.Cleanup(func() { _ = provider.Shutdown() })
	p, err := newPlatform(fmt.Sprintf("oidc: {issuer: '%s', client_id: '%s', client_secret: '%s', name: School, tenant: default, role: viewer}\n",
		provider.Issuer(), provider.ClientID, provider.ClientSecret))
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(p.data) })
	must(t, p.start())
	t.Cleanup(func() { _ = p.stop() })
	for _, name := range []string{"ann", "bob"} {
		provider.QueueUser(&mockoidc.MockUser{Subject: name, Email: name + "@school.example", EmailVerified: true, PreferredUsername: name})
	}
	browse(t, p, "oidc.mjs")
}
