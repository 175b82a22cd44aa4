package api_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kurama/paas"
)

// remote is the address of an app with the token of somebody, as no person would
// write it.
func (w *world) remote(as, tenant, app string) string {
	return strings.Replace(w.srv.URL, "http://", "http://any:"+w.tokens[as]+"@", 1) + "/git/" + tenant + "/" + app
}

// says checks that a push was refused with each of the parts.
func says(t *testing.T, out string, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("the push was taken: %s", out)
	}
	for _, part := range parts {
		if !strings.Contains(out, part) {
			t.Errorf("no %q in:\n%s", part, out)
		}
	}
}

// goesLive is what a deploy that succeeds does to its release.
func (w *world) goesLive(ctx context.Context, r paas.Release) error {
	if err := w.store.AppendBuildLog(ctx, r.Tenant, r.App, r.Number, "unpack", "2 files"); err != nil {
		return err
	}
	return w.store.SetLive(ctx, r.Tenant, r.App, r.Number)
}

// fails is what a deploy that fails does.
func (w *world) fails(ctx context.Context, r paas.Release) error {
	r.State, r.Reason = paas.ReleaseFailed, "`app.py` holds no app. It wrote last:\n\x1b[31mred"
	if err := w.store.AppendBuildLog(ctx, r.Tenant, r.App, r.Number, "failed", r.Reason); err != nil {
		return err
	}
	return w.store.UpdateRelease(ctx, r)
}

func TestPush(t *testing.T) {
	w := newWorld(t)
	w.fakes.finish = w.goesLive
	c := newCheckout(t)
	shop := w.remote("developer", "default", "shop")
	nothingOnTheWay := func(t *testing.T) {
		t.Helper()
		if left := w.uploads(); len(left) > 0 {
			t.Errorf("uploads left: %v", left)
		}
	}
	first := c.must("rev-parse", "HEAD")

	t.Run("deploys, makes the app, and tells how it goes", func(t *testing.T) {
		out := c.must("push", shop, "main")
		for _, part := range []string{"remote: Release 1 of shop: " + first[:7] + " First", "remote:   unpack       2 files", "remote: shop is live after ", "http://shop.localhost:8080", "main -> main"} {
			if !strings.Contains(out, part) {
				t.Errorf("no %q in:\n%s", part, out)
			}
		}
		r, err := w.store.Release(t.Context(), "default", "shop", 1)
		must(t, err)
		if r.Commit != first[:7]+" First" || r.CreatedBy != "developer" {
			t.Errorf("got %+v", r)
		}
		z, err := zip.NewReader(bytes.NewReader(w.fakes.content), int64(len(w.fakes.content)))
		must(t, err)
		if len(z.File) != 2 || z.File[0].Name != "app.py" || z.File[1].Name != "static/site.css" {
			t.Errorf("got %v", z.File)
		}
		f, err := z.Open("app.py")
		must(t, err)
		if text, _ := io.ReadAll(f); string(text) != "app = 1\n" {
			t.Errorf("got %q", text)
		}
		deeds, err := w.auth.Deeds(t.Context(), paas.DeedFilter{Tenant: "default", Action: "push", Limit: 10})
		if must(t, err); len(deeds) != 1 || deeds[0].App != "shop" || deeds[0].Status != 200 || deeds[0].Via != "token developer" {
			t.Errorf("got %+v", deeds)
		}
		nothingOnTheWay(t)
	})
	t.Run("is refused with the reason when the deploy fails, leaves nothing, and may come again", func(t *testing.T) {
		c.commit("Break it", map[string]string{"app.py": "no app\n"})
		second := c.must("rev-parse", "HEAD")
		w.fakes.finish = w.fails
		out, err := c.git("push", shop, "main")
		says(t, out, err, "remote:   failed       ?[31mred", "remote: Release 2 of shop failed: `app.py` holds no app. ", "[remote rejected] main -> main (pre-receive hook declined)")
		repo := filepath.Join(w.data, "releases/default/shop/git")
		if out := c.must("--git-dir", repo, "rev-parse", "refs/heads/main"); out != first {
			t.Errorf("main is at %s, want %s", out, first)
		}
		if out, err := c.git("--git-dir", repo, "cat-file", "-e", second); err == nil {
			t.Errorf("the refused commit is there: %s", out)
		}
		deeds, err := w.auth.Deeds(t.Context(), paas.DeedFilter{Tenant: "default", Action: "push", Refused: true, Limit: 10})
		if must(t, err); len(deeds) != 1 || deeds[0].Status != 422 || !strings.Contains(deeds[0].Detail, "holds no app") {
			t.Errorf("got %+v", deeds)
		}
		w.fakes.finish = w.goesLive
		if out := c.must("push", shop, "main"); !strings.Contains(out, "Release 3 of shop") {
			t.Errorf("got %s", out)
		}
		nothingOnTheWay(t)
	})
	t.Run("is refused before a deploy for what does not deploy", func(t *testing.T) {
		c.must("tag", "v1")
		for want, args := range map[string][]string{
			"The branch feature/x does not deploy, only main or master does. To deploy it, push it as that: git push … feature/x:main": {shop, "main:feature/x"},
			"A tag does not deploy": {shop, "v1"},
			"cannot be deleted":     {shop, ":main"},
			"aster were pushed at once, and an app has one live release": {w.remote("developer", "default", "new"), "main", "main:master"},
		} {
			out, err := c.git(append([]string{"push"}, args...)...)
			says(t, out, err, "remote: ", want, "[remote rejected]")
		}
		if out := c.must("push", shop, "main:master", "v1"); !strings.Contains(out, "Release 4 of shop") {
			t.Errorf("a tag does not come along: %s", out)
		}
		if _, err := os.Stat(filepath.Join(w.data, "releases/default/new")); err == nil {
			t.Error("a refused first push has left its folder")
		}
		nothingOnTheWay(t)
	})
	t.Run("is theirs alone who may deploy the app", func(t *testing.T) {
		bound := func(name string, app string, scopes ...paas.Scope) {
			_, token, err := w.auth.CreateToken(t.Context(), paas.Token{Tenant: "default", Name: name, Role: paas.RoleDeveloper, CreatedBy: name, App: app, Scopes: scopes})
			must(t, err)
			w.tokens[name] = token
		}
		bound("deploys", "", paas.ScopeDeploy)
		bound("reads", "", paas.ScopeRead)
		bound("elsewhere", "blog", paas.ScopeDeploy)
		w.tokens["wrong"] = "kt_wrong"
		for as, want := range map[string][]string{
			"stranger": {"not found", "There is no tenant default."}, "viewer": {"403", "This needs the role developer"}, "wrong": {"Authentication failed", "The token is unknown"},
			"reads": {"403", "is for read only"}, "elsewhere": {"not found", "There is no app shop."},
		} {
			out, err := c.git("push", w.remote(as, "default", "shop"), "main")
			says(t, out, err, want...)
			if strings.Contains(out, "Release") {
				t.Errorf("%s sees a deploy: %s", as, out)
			}
		}
		out, err := c.git("push", w.srv.URL+"/git/default/shop", "main")
		says(t, out, err, "could not read Username")
		c.commit("By CI", map[string]string{"ci": "x"})
		if out := c.must("push", w.remote("deploys", "default", "shop.git"), "main"); !strings.Contains(out, "shop is live") {
			t.Errorf("got %s", out)
		}
		for _, path := range []string{"/info/refs?service=git-receive-pack", "/git-receive-pack"} {
			method := map[bool]string{true: "POST", false: "GET"}[strings.HasSuffix(path, "pack") && !strings.Contains(path, "?")]
			r, err := http.NewRequestWithContext(t.Context(), method, w.srv.URL+"/git/default/shop"+path, strings.NewReader("0000"))
			must(t, err)
			r.Header.Set("Content-Type", "application/x-git-receive-pack-request")
			resp, err := http.DefaultClient.Do(r)
			must(t, err)
			if body := want(t, resp, 401); !strings.Contains(body, "kurama git APP") || !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Basic") {
				t.Errorf("%s: %s", path, body)
			}
		}
	})
	t.Run("gives nothing back", func(t *testing.T) {
		out, err := c.git("ls-remote", shop)
		says(t, out, err, "remote: Kurama takes pushes and gives nothing back")
	})
	t.Run("leaves out what is no file of its own, and says so", func(t *testing.T) {
		must(t, os.Symlink("/etc/passwd", filepath.Join(c.dir, "link")))
		c.commit("Odd", map[string]string{"big.mp4": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n", "evil\x1b[31m.txt": "x"})
		c.must("update-index", "--add", "--cacheinfo", "160000,"+first+",lib/theme")
		c.must("commit", "--quiet", "--message", "Odd things")
		out := c.must("push", shop, "main")
		for _, part := range []string{"! link is left out: it is a symbolic link", "! lib/theme is left out: it is a submodule", "! big.mp4 is a pointer of Git LFS"} {
			if !strings.Contains(out, part) {
				t.Errorf("no %q in:\n%s", part, out)
			}
		}
		if bytes.Contains(w.fakes.content, []byte("/etc/passwd")) {
			t.Error("the link came along")
		}
		c.must("reset", "--quiet", "--hard", "HEAD~2")
	})
	t.Run("comes from a shallow clone too", func(t *testing.T) {
		shallow := &checkout{t: t, dir: filepath.Join(t.TempDir(), "clone")}
		c.must("clone", "--quiet", "--depth", "1", "file://"+c.dir, shallow.dir)
		if out := shallow.must("push", w.remote("developer", "default", "shallow"), "main"); !strings.Contains(out, "shallow is live") {
			t.Errorf("got %s", out)
		}
		c.commit("Later", map[string]string{"later.py": "x"})
		if out := c.must("push", w.remote("developer", "default", "shallow"), "main"); !strings.Contains(out, "Release 2 of shallow") {
			t.Errorf("got %s", out)
		}
	})
	t.Run("waits for no other push of the app", func(t *testing.T) {
		deploying, release := make(chan struct{}), make(chan struct{})
		w.fakes.finish = func(ctx context.Context, r paas.Release) error {
			close(deploying)
			<-release
			return w.goesLive(ctx, r)
		}
		ended := make(chan error, 1)
		go func() {
			out, err := c.git("push", "--force", shop, "main")
			if err != nil {
				err = fmt.Errorf("%w: %s", err, out)
			}
			ended <- err
		}()
		select {
		case <-deploying:
		case err := <-ended:
			t.Fatal(err)
		}
		out, err := c.git("push", "--force", shop, "main:master")
		says(t, out, err, "remote: Another push of shop is under way")
		close(release)
		must(t, <-ended)
		w.fakes.finish = w.goesLive
	})
	t.Run("has bounds", func(t *testing.T) {
		bomb := newCheckout(t)
		blob := bomb.must("hash-object", "-w", "app.py")
		tree := blob
		for depth := range 12 {
			kind := "040000 tree "
			if depth == 0 {
				kind = "100644 blob "
			}
			var entries strings.Builder
			for i := range 10 {
				fmt.Fprintf(&entries, "%s%s\tf%d\n", kind, tree, i)
			}
			must(t, os.WriteFile(filepath.Join(bomb.dir, ".git/entries"), []byte(entries.String()), 0o644))
			tree = bomb.must("-c", "alias.tree=!git mktree < .git/entries", "tree")
		}
		bomb.must("reset", "--quiet", "--soft", bomb.must("commit-tree", "-m", "Bomb", tree))
		out, err := bomb.git("push", w.remote("developer", "default", "bomb"), "main")
		says(t, out, err, "remote: The commit has more than 20 files")
		if _, err := w.store.App(t.Context(), "default", "bomb"); err == nil {
			t.Error("the bomb has made an app")
		}
		large := newCheckout(t)
		noise := make([]byte, 3<<20)
		for i, x := 0, uint32(1); i < len(noise); i++ {
			x ^= x << 13
			x ^= x >> 17
			x ^= x << 5
			noise[i] = byte(x)
		}
		large.commit("Large", map[string]string{"noise": string(noise)})
		out, err = large.git("push", w.remote("developer", "default", "large"), "main")
		says(t, out, err, "remote: The push is larger than 2MiB (git.max)")
		nothingOnTheWay(t)
	})
	t.Run("is checked by git", func(t *testing.T) {
		hostile := newCheckout(t)
		blob := hostile.must("hash-object", "-w", "app.py")
		must(t, os.WriteFile(filepath.Join(hostile.dir, ".git/entries"), []byte("100644 blob "+blob+"\t.GIT\n"), 0o644))
		tree := hostile.must("-c", "alias.tree=!git mktree < .git/entries", "tree")
		hostile.must("reset", "--quiet", "--soft", hostile.must("commit-tree", "-m", "Hostile", tree))
		out, err := hostile.git("push", w.remote("developer", "default", "hostile"), "main")
		says(t, out, err, "hasDotgit")
		nothingOnTheWay(t)
	})
}
