package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// minGzip is the size from which a file is worth compressing, in bytes.
const minGzip = 512

// Policy is the content security policy of the pages: their own files alone,
// and no inline script. Styles may be inline, since the component library and
// the charts set them so; ws: is named for browsers whose 'self' leaves it out.
const Policy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// site serves one of the pages and the files that it loads.
type site struct {
	files fs.FS
	page  string
	mu    sync.Mutex
	ready map[string]*file // by name; read and compressed once
}

// file is what a name holds, ready to be sent.
type file struct {
	plain, gzipped []byte // gzipped is nil where it would save nothing
	tag            string
}

// Handler serves page at / and the built files beside it. Files under assets/
// carry a hash of their content in their name and never change; the page is
// asked for anew each time. Other pages are not found, so that each port has its own.
func Handler(files fs.FS, page string) http.Handler {
	return &site{files: files, page: page, ready: map[string]*file{}}
}

// ServeHTTP answers GET and HEAD.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Pages can only be read; the API is under /api/.", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if name == "" {
		name = s.page
	} else if strings.HasSuffix(name, ".html") || strings.HasPrefix(path.Base(name), ".") {
		http.NotFound(w, r)
		return
	}
	f, err := s.open(name)
	switch {
	case err != nil && name == s.page:
		http.Error(w, "The pages are not built into this program. Run `make web`, and build it again.", http.StatusServiceUnavailable)
	case err != nil:
		http.NotFound(w, r)
	default:
		f.send(w, r, name)
	}
}

// open reads a file the first time that it is asked for.
func (s *site) open(name string) (*file, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.ready[name]; f != nil {
		return f, nil
	}
	plain, err := fs.ReadFile(s.files, name)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(plain)
	f := &file{plain: plain, gzipped: compress(plain), tag: `"` + hex.EncodeToString(sum[:8]) + `"`}
	s.ready[name] = f
	return f, nil
}

func (f *file) send(w http.ResponseWriter, r *http.Request, name string) {
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", f.tag)
	body := f.plain
	if f.gzipped != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && r.Header.Get("Range") == "" {
		h.Set("Content-Encoding", "gzip")
		h.Set("ETag", strings.TrimSuffix(f.tag, `"`)+`-gzip"`)
		body = f.gzipped
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
}

func compress(plain []byte) []byte {
	if len(plain) < minGzip {
		return nil
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = io.Copy(z, bytes.NewReader(plain))
	}
	if err != nil || z.Close() != nil || b.Len() >= len(plain) {
		return nil
	}
	return b.Bytes()
}
