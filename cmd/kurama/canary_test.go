package main

import (
	"strings"
	"testing"
)

func TestCanaryCommands(t *testing.T) {
	d := newDesk(t)
	dir := d.app(map[string]string{"app.py": "app = 1"})
	d.must("deploy", dir, "--app", "shop")
	says := func(t *testing.T, want string, args ...string) {
		t.Helper()
		if out, said, err := d.run(args...); err != nil || !strings.Contains(out+said, want) {
			t.Errorf("kurama %s: %v\n%s%s\nnot %q", strings.Join(args, " "), err, said, out, want)
		}
	}
	t.Run("an app without one says so", func(t *testing.T) {
		says(t, "shop has no canary: release 1 gets all clients", "canary", "shop")
		d.fails("canary", "canary", "shop", "--end")
	})
	t.Run("it gets a share, another, and is promoted", func(t *testing.T) {
		d.must("deploy", dir, "--app", "shop", "--canary", "10")
		says(t, "release 2 gets 10 % of the clients, release 1 the others", "canary", "shop")
		says(t, "release 2 gets 50 % of the clients", "canary", "shop", "--share", "50")
		says(t, `"share": 50`, "canary", "shop", "--json")
		says(t, "release 2 is live", "canary", "shop", "--promote")
		says(t, "release 2 gets all clients", "canary", "shop")
	})
	t.Run("another is ended", func(t *testing.T) {
		d.must("deploy", dir, "--app", "shop", "--canary", "10")
		says(t, "the canary of shop is ended", "canary", "shop", "--end")
		says(t, "ended this canary.", "releases", "shop")
	})
	t.Run("how it does is part of what is different", func(t *testing.T) {
		says(t, "240.0 ms (240.0–240.0)", "releases", "shop", "diff", "2")
		says(t, "GET /cart is clearly slower: p95 80 ms → 240 ms over 612 requests.", "releases", "shop", "diff", "2")
		says(t, `"verdict": "worse"`, "releases", "shop", "diff", "2", "--json")
	})
	t.Run("the app goes back by itself where that is asked for", func(t *testing.T) {
		says(t, "shop stays with a release that is clearly worse.", "releases", "shop", "watch")
		says(t, "within 5m0s of a release, or ends a canary, where a route clearly has 5 % more errors or 3 times the p95", "releases", "shop", "watch", "on", "within=5m", "p95=3x")
		says(t, `"p95": 3`, "releases", "shop", "watch", "--json")
		says(t, "shop stays with", "releases", "shop", "watch", "off")
		d.fails("`p95` is a number, such as `2x`", "releases", "shop", "watch", "p95=fast")
		d.fails(`"always"`, "releases", "shop", "watch", "auto=always")
	})
}
