package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func ask(h http.Handler, method, path string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, "http://localhost/", nil)
	r.URL.Path = path
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestHandler(t *testing.T) {
	script := strings.Repeat("let fox = 9;\n", 200)
	h := Handler(fstest.MapFS{"console.html": {Data: []byte("<!doctype html>")}, "dashboard.html": {Data: []byte("x")},
		"assets/app-1.js": {Data: []byte(script)}, ".gitkeep": {}}, "console.html")

	if res := ask(h, "GET", "/"); res.StatusCode != 200 || res.Header.Get("Cache-Control") != "no-cache" || !strings.Contains(res.Header.Get("Content-Type"), "text/html") {
		t.Errorf("the page is %d with %v", res.StatusCode, res.Header)
	}
	res := ask(h, "GET", "/assets/app-1.js", "Accept-Encoding", "gzip, br")
	z, err := gzip.NewReader(res.Body)
	if err != nil || res.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
		t.Fatalf("a script came with %v: %v", res.Header, err)
	}
	if text, err := io.ReadAll(z); err != nil || string(text) != script || !strings.Contains(res.Header.Get("Content-Type"), "javascript") {
		t.Errorf("the script is %d bytes of %q, %v", len(text), res.Header.Get("Content-Type"), err)
	}
	if res := ask(h, "GET", "/assets/app-1.js"); res.Header.Get("Content-Encoding") != "" || res.ContentLength != int64(len(script)) {
		t.Errorf("one who takes no gzip got %v", res.Header)
	}
	if res := ask(h, "GET", "/", "If-None-Match", ask(h, "GET", "/").Header.Get("ETag")); res.StatusCode != http.StatusNotModified {
		t.Errorf("the same page again is %d", res.StatusCode)
	}
	for _, path := range []string{"/nope", "/.gitkeep", "/assets/", "/assets", "/assets/../../etc/passwd", "/console.html", "/dashboard.html"} {
		if res := ask(h, "GET", path); res.StatusCode != 404 {
			t.Errorf("%s is %d", path, res.StatusCode)
		}
	}
	if res := ask(h, "POST", "/"); res.StatusCode != 405 {
		t.Errorf("a POST is %d", res.StatusCode)
	}
	if res := ask(Handler(fstest.MapFS{}, "console.html"), "GET", "/"); res.StatusCode != 503 {
		t.Errorf("without pages it is %d", res.StatusCode)
	}
}
