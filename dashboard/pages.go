package dashboard

import (
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// policy is the content security policy of every answer. Styles may be inline,
// since the component library sets them so; scripts may not.
const policy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// secure sets the headers that keep a page from being framed, sniffed or scripted.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		next.ServeHTTP(w, r)
	})
}

// pages serves dashboard.html at / and the built files beside it. Files under
// assets/ carry a hash of their content in their name and never change.
func pages(files fs.FS) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			writeProblem(w, &problem{http.StatusMethodNotAllowed, "Pages can only be read."})
			return
		}
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if name == "" {
			name = "dashboard.html"
		}
		info, err := fs.Stat(files, name)
		switch {
		case err != nil && name == "dashboard.html":
			writeProblem(w, &problem{http.StatusServiceUnavailable, "The pages are not built into this program. Run `make web`, and build it again."})
			return
		case err != nil || info.IsDir() || strings.HasPrefix(path.Base(name), "."):
			http.NotFound(w, r)
			return
		case strings.HasPrefix(name, "assets/"):
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		default:
			w.Header().Set("Cache-Control", "no-cache")
		}
		http.ServeFileFS(w, r, files, name)
	})
}
