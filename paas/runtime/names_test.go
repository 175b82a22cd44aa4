package runtime

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnnounce(t *testing.T) {
	e := &Engine{opts: Options{RunDir: t.TempDir(), RouterPort: 8080}, nets: map[string]netip.Prefix{"acme": netip.MustParsePrefix("172.30.0.0/24")}}
	for _, replica := range []string{"web-1-aaaaaa", "web-1-bbbbbb"} {
		if err := os.MkdirAll(e.socketFolder(replica), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := e.writeHosts(replica, "acme", "web", "172.30.0.2"); err != nil {
			t.Fatal(err)
		}
	}
	file := e.hostsFile("web-1-bbbbbb")
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	replace := func(make func() error) {
		t.Helper()
		if err := os.RemoveAll(file); err != nil {
			t.Fatal(err)
		}
		if err := make(); err != nil {
			t.Fatal(err)
		}
	}
	apps := map[string][]string{"acme": {"shop", "web"}}
	replace(func() error { return os.Mkdir(file, 0o755) }) // nothing can be written there
	if e.Announce(apps) == nil {
		t.Error("a file that cannot be written is no error")
	}
	replace(func() error { return os.WriteFile(file, before, 0o644) })
	if err := e.Announce(apps); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(e.hostsFile("*"))
	for _, file := range files {
		if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "172.30.0.1 shop.internal\n") {
			t.Errorf("%s, %v:\n%s", file, err, text)
		}
	}
	if len(files) != 2 || len(e.names.late) > 0 {
		t.Errorf("%d files, late: %v", len(files), e.names.late)
	}
}
