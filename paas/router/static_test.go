package router

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kurama/logship/record"
	"kurama/paas"
)

func TestStatic(t *testing.T) {
	releases := t.TempDir()
	put := func(release, name, text string) {
		t.Helper()
		file := filepath.Join(releases, "default/hello", release, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, release := range []string{"1", "2"} {
		put(release, "shop/static/app.css", "body{} /* "+release+" */")
		put(release, "shop/static/same.js", "let a = 1")
		put(release, "shop/static/.env", "SECRET")
		put(release, "shop/secret.py", "SECRET")
	}
	put("1", "shop/static/img/a b.png", "png")
	if err := os.Symlink(filepath.Join(releases, "default/hello/1/shop/secret.py"), filepath.Join(releases, "default/hello/1/shop/static/link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../secret.py", filepath.Join(releases, "default/hello/1/shop/static/near")); err != nil {
		t.Fatal(err)
	}
	b := startOn(t, testConfig(), Options{Listener: listen(t), StatePath: filepath.Join(t.TempDir(), "table.json"), Releases: releases})
	app := replica(t, "hello-1-aaaaaa", says("app"))
	route := paas.Route{Tenant: "default", App: "hello", Hosts: []string{"hello.localhost", "example.org/shop"}, State: paas.AppRunning, Targets: []paas.Target{app}}
	serve := func(t *testing.T, change func(*paas.Route)) {
		t.Helper()
		next := route
		next.Static = []paas.ServedStatic{{Release: 1, Folders: []paas.Static{{Path: "/static", Dir: "shop/static", Cache: 3600}}}}
		change(&next)
		b.version++
		if err := b.client.Apply(t.Context(), paas.Table{Version: b.version, Routes: []paas.Route{next}}); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(t *testing.T, r *http.Request) (*http.Response, string) {
		t.Helper()
		resp, err := b.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(body)
	}
	with := func(method, path string, headers ...string) *http.Request {
		r := b.request(t, method, path, nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return r
	}
	one := func(*paas.Route) {}

	t.Run("a file is answered with its type, tag and time to keep, and recorded", func(t *testing.T) {
		serve(t, one)
		before := len(b.records.of(record.KindRequest))
		resp, body := ask(t, with("GET", "/static/app.css?v=3"))
		h := resp.Header
		if resp.StatusCode != 200 || body != "body{} /* 1 */" || h.Get("Content-Type") != "text/css; charset=utf-8" || h.Get("Cache-Control") != "public, max-age=3600" ||
			h.Get("X-Content-Type-Options") != "nosniff" || len(h.Get("Etag")) != 26 || h.Get("X-Request-Id") == "" || h.Get("Accept-Ranges") != "bytes" {
			t.Errorf("got %d %q %v", resp.StatusCode, body, h)
		}
		r := b.records.request(t, before+1)
		if r.Replica != "router" || r.Release != 1 || r.Status != 200 || r.Route != "/static/<path:filename>" || r.URL != "/static/app.css?v=3" || r.Bytes.Value != 14 || r.CPU.Known {
			t.Errorf("recorded %+v", r)
		}
		if n := b.table.Load().apps[0].requests.Load(); n != 0 {
			t.Errorf("the autoscaler is told of %d requests", n)
		}
		if _, body := ask(t, with("GET", "/static/img/a%20b.png")); body != "png" {
			t.Errorf("got %q", body)
		}
		if _, body := ask(t, with("GET", "/statics")); body != "app" {
			t.Errorf("another path does not reach the app: %q", body)
		}
	})
	t.Run("conditions, ranges and HEAD are heeded", func(t *testing.T) {
		serve(t, one)
		resp, _ := ask(t, with("GET", "/static/app.css"))
		tag := resp.Header.Get("Etag")
		for _, c := range []struct {
			r      *http.Request
			status int
			body   string
		}{
			{with("GET", "/static/app.css", "If-None-Match", tag), 304, ""},
			{with("GET", "/static/app.css", "If-None-Match", `"other"`), 200, "body{} /* 1 */"},
			{with("GET", "/static/app.css", "Range", "bytes=0-3"), 206, "body"},
			{with("GET", "/static/app.css", "Range", "bytes=0-3", "If-Range", `"other"`), 200, "body{} /* 1 */"},
			{with("GET", "/static/app.css", "Range", "bytes=900-"), 416, ""},
			{with("GET", "/static/app.css", "If-Match", `"other"`), 412, ""},
			{with("HEAD", "/static/app.css"), 200, ""},
		} {
			resp, body := ask(t, c.r)
			if resp.StatusCode != c.status || c.status < 400 && body != c.body {
				t.Errorf("%s %v: got %d %q", c.r.Method, c.r.Header, resp.StatusCode, body)
			}
		}
		resp, body := ask(t, with("POST", "/static/app.css"))
		if resp.StatusCode != 405 || resp.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST: %d %q", resp.StatusCode, body)
		}
	})
	t.Run("nothing beside the folder's own files is seen", func(t *testing.T) {
		serve(t, one)
		for _, path := range []string{"/static/", "/static/img", "/static/img/", "/static/none.css", "/static/.env", "/static/%2eenv", "/static/../secret.py", "/static/%2e%2e/secret.py",
			"/static/..%2fsecret.py", "/static/img/../../secret.py", "/static/link", "/static/near", "/static//app.css", "/static/./app.css", "/static/app.css/", "/static/%00", "/static/%zz", "/static/..%5csecret.py", "/static/%2fetc/passwd"} {
			r := with("GET", "/")
			r.URL.Opaque = path // as it is, not cleaned
			resp, body := ask(t, r)
			if resp.StatusCode != 404 && resp.StatusCode != 400 || strings.Contains(body, "SECRET") || strings.Contains(body, "root:") {
				t.Errorf("%s: got %d %q", path, resp.StatusCode, body)
			}
		}
	})
	t.Run("no replica is needed, and none is woken", func(t *testing.T) {
		serve(t, func(r *paas.Route) { r.Targets, r.State = nil, paas.AppAsleep })
		samples := len(b.records.of(record.KindSample))
		if resp, body := ask(t, with("GET", "/static/app.css")); resp.StatusCode != 200 || body != "body{} /* 1 */" {
			t.Errorf("asleep: %d %q", resp.StatusCode, body)
		}
		if n := len(b.records.of(record.KindSample)); n != samples {
			t.Errorf("%d samples tell of a request", n-samples)
		}
		serve(t, func(r *paas.Route) { r.Targets, r.State = nil, paas.AppStopped })
		if resp, _ := ask(t, with("GET", "/static/app.css")); resp.StatusCode != 503 {
			t.Errorf("stopped: %d", resp.StatusCode)
		}
	})
	t.Run("what stands before the app stands before its files", func(t *testing.T) {
		hashed, err := paas.HashBasic("a long enough password")
		if err != nil {
			t.Fatal(err)
		}
		serve(t, func(r *paas.Route) { r.Gate = paas.Gate{User: "ann", Password: hashed} })
		if resp, _ := ask(t, with("GET", "/static/app.css")); resp.StatusCode != 401 {
			t.Errorf("without the password: %d", resp.StatusCode)
		}
		r := with("GET", "/static/app.css")
		r.SetBasicAuth("ann", "a long enough password")
		if resp, _ := ask(t, r); resp.StatusCode != 200 || resp.Header.Get("Cache-Control") != "private, max-age=3600" {
			t.Errorf("with it: %d %v", resp.StatusCode, resp.Header)
		}
		serve(t, func(r *paas.Route) { r.Gate = paas.Gate{Maintenance: true} })
		if resp, _ := ask(t, with("GET", "/static/app.css")); resp.StatusCode != 503 {
			t.Errorf("in maintenance: %d", resp.StatusCode)
		}
	})
	t.Run("the files change with the table, and a file that is the same keeps its tag", func(t *testing.T) {
		serve(t, one)
		resp, _ := ask(t, with("GET", "/static/same.js"))
		next := paas.ServedStatic{Release: 2, Folders: []paas.Static{{Path: "/static", Dir: "shop/static"}}}
		serve(t, func(r *paas.Route) { r.Static = []paas.ServedStatic{next} })
		if _, body := ask(t, with("GET", "/static/app.css")); body != "body{} /* 2 */" {
			t.Errorf("got %q", body)
		}
		again, _ := ask(t, with("GET", "/static/same.js", "If-None-Match", resp.Header.Get("Etag")))
		if again.StatusCode != 304 || again.Header.Get("Cache-Control") != "public, no-cache" {
			t.Errorf("got %d %v", again.StatusCode, again.Header)
		}
		r := with("GET", "/shop/static/app.css") // mounted below a path
		r.Host = "example.org"
		if _, body := ask(t, r); body != "body{} /* 2 */" {
			t.Errorf("below a path: %q", body)
		}
	})
	t.Run("who gets a canary gets its files", func(t *testing.T) {
		serve(t, func(r *paas.Route) {
			r.Static = append(r.Static, paas.ServedStatic{Release: 2, Folders: r.Static[0].Folders})
			r.Canary = paas.Canary{Release: 2, Share: 50}
		})
		for cookie, want := range map[string]string{"": "body{} /* 1 */", "2.99": "body{} /* 1 */", "2.1": "body{} /* 2 */", "7.1": "body{} /* 1 */"} {
			resp, body := ask(t, with("GET", "/static/app.css", "Cookie", "kurama-canary-hello="+cookie))
			if body != want || resp.Header.Get("Set-Cookie") != "" {
				t.Errorf("with %q: %q %v", cookie, body, resp.Header)
			}
		}
	})
}

func FuzzStaticFile(f *testing.F) {
	for _, seed := range []string{"/static/app.css", "/static/../x", "/static/%2e%2e/%2f", "/static/.env?x", "/static/a/./b"} {
		f.Add(seed)
	}
	releases := f.TempDir()
	if err := os.MkdirAll(filepath.Join(releases, "t/a/1/s/sub"), 0o755); err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{"secret", "s/app.css", "s/sub/x"} {
		if err := os.WriteFile(filepath.Join(releases, "t/a/1", name), []byte(name), 0o600); err != nil {
			f.Fatal(err)
		}
	}
	a := &app{tenant: "t", name: "a"}
	a.serveStatic(releases, []paas.ServedStatic{{Release: 1, Folders: []paas.Static{{Path: "/static", Dir: "s"}}}})
	f.Fuzz(func(t *testing.T, uri string) {
		found, ok := a.static.Load().find(uri, 0, false)
		if !ok {
			return
		}
		file, _, err := found.open()
		if err != nil {
			return
		}
		defer file.Close()
		if text, err := io.ReadAll(file); err != nil || !strings.HasPrefix(string(text), "s/") {
			t.Errorf("%q opens %q, %v", uri, text, err)
		}
	})
}
