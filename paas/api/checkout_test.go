package api_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// checkout is a repository on somebody's machine, with the git that they use.
type checkout struct {
	t   *testing.T
	dir string
	env []string
}

func newCheckout(t *testing.T) *checkout {
	t.Helper()
	c := &checkout{t: t, dir: t.TempDir()}
	c.must("init", "--quiet", "--initial-branch=main")
	c.commit("First", map[string]string{"app.py": "app = 1\n", "static/site.css": "b { color: red }"})
	return c
}

// git runs the client's git and returns all that it said.
func (c *checkout) git(args ...string) (string, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "HOME="+c.dir, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "no_proxy=*",
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.org", "GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.org")
	cmd.Env = append(cmd.Env, c.env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (c *checkout) must(args ...string) string {
	c.t.Helper()
	out, err := c.git(args...)
	if err != nil {
		c.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

func (c *checkout) commit(subject string, files map[string]string) {
	c.t.Helper()
	for name, content := range files {
		path := filepath.Join(c.dir, name)
		must(c.t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(c.t, os.WriteFile(path, []byte(content), 0o644))
	}
	c.must("add", "--all")
	c.must("commit", "--quiet", "--message", subject)
}
