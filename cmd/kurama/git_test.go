package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"kurama/internal/client"
)

func TestGit(t *testing.T) {
	d := newDesk(t)
	address := os.Getenv("KURAMA_URL")
	t.Chdir(t.TempDir())
	t.Setenv("GIT_CONFIG_GLOBAL", "/dev/null")
	git := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "--quiet")
	t.Run("shows the address, and gives a repository the remote with its password", func(t *testing.T) {
		want := address + "/git/default/shop"
		if out := d.must("git", "shop"); strings.TrimSpace(out) != want {
			t.Errorf("got %s, want %s", out, want)
		}
		d.must("git", "blog", "--add")
		d.must("git", "shop", "--add") // an app that has another name by now
		if got := git("remote", "get-url", "kurama"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got := git("config", "--get-urlmatch", "credential.helper", want); !strings.HasSuffix(got, "' git-credential") {
			t.Errorf("got %s", got)
		}
		d.fails("cannot be the name", "git", "No_Name")
	})
	t.Run("tells git the token of the sign-in there, and of no other", func(t *testing.T) {
		file, err := client.CredentialsFile()
		must(t, err)
		must(t, client.Credentials{Current: address, Tokens: map[string]string{address: "kt_mine"}}.Save(file))
		asks := func(host string) string {
			d.in = "protocol=http\nhost=" + host + "\n\n"
			return d.must("git-credential", "get")
		}
		if got := asks(strings.TrimPrefix(address, "http://")); got != "username=kurama\npassword=kt_mine\n" {
			t.Errorf("got %q", got)
		}
		if got := asks("elsewhere.example"); got != "" {
			t.Errorf("another host is told %q", got)
		}
	})
}
