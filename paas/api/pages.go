package api

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// policyCSP lets the pages load their own files alone. Styles may be inline:
// the charts place their marks with them.
const policyCSP = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func (a *API) withSecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policyCSP)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if strings.HasPrefix(r.URL.Path, "/api/") {
			h.Set("Cache-Control", "no-store")
		}
		next.ServeHTTP(w, r)
	})
}

// pageRoutes serves the built pages: the console at /, and the files that it
// loads. Files below assets/ carry their hash in their names and never change.
func (a *API) pageRoutes(mux *http.ServeMux) error {
	if _, err := fs.Stat(a.deps.Pages, "console.html"); errors.Is(err, fs.ErrNotExist) {
		a.log.Warn("the console's pages are not built: run make web")
	} else if err != nil {
		return fmt.Errorf("reading the console's pages: %w", err)
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { a.servePage(w, r, "console.html") })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, r.Method+" is for the API, under "+Prefix+".", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if strings.HasSuffix(name, ".html") || strings.HasPrefix(path.Base(name), ".") {
			http.NotFound(w, r)
			return
		}
		a.servePage(w, r, name)
	})
	return nil
}

func (a *API) servePage(w http.ResponseWriter, r *http.Request, name string) {
	file, err := fs.ReadFile(a.deps.Pages, name)
	if err != nil && name == "console.html" {
		http.Error(w, "The console's pages are not built. Run `make web`, or use the API under "+Prefix+".", http.StatusServiceUnavailable)
		return
	}
	if err != nil {
		http.NotFound(w, r)
		return
	}
	cache := "no-cache"
	if strings.HasPrefix(name, "assets/") {
		cache = "public, max-age=31536000, immutable"
	}
	w.Header().Set("Cache-Control", cache)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(file))
}
