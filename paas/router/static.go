package router

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"kurama/paas"
)

// errNoFile says that a path below a static folder names no file of it.
var errNoFile = errors.New("there is no such static file")

// routerReplica is who answered where no replica did.
const routerReplica = "router"

// statics are the folders of an app that the router serves by itself. They
// change with the table, as a whole.
type statics struct {
	served []paas.ServedStatic
	source string // folder of the app's releases, by number

	mu    sync.Mutex
	etags map[string]string // by release and name of the file: a release's files never change
}

// Bounds of what is remembered and read for the tags of files.
const (
	maxTags   = 4096
	maxHashed = 8 << 20 // bytes; a larger file is known by its size and time
)

// serveStatic takes over what a table says of an app's static files. Tags are
// kept as long as that stays the same.
func (a *app) serveStatic(releases string, served []paas.ServedStatic) {
	if now := a.static.Load(); now != nil && reflect.DeepEqual(now.served, served) {
		return
	}
	if len(served) == 0 || releases == "" {
		a.static.Store(nil)
		return
	}
	a.static.Store(&statics{served: served, source: filepath.Join(releases, a.tenant, a.name), etags: map[string]string{}})
}

// staticFile is what a request asks for in a static folder.
type staticFile struct {
	*statics
	release int
	folder  paas.Static
	name    string // below the folder
}

// find returns the file that a path names; ok is false where it is below no
// static folder. Of two releases, that of the canary is for those who get it.
func (s *statics) find(uri string, canary int, gets bool) (f staticFile, ok bool) {
	if s == nil {
		return f, false
	}
	raw, _, _ := strings.Cut(uri, "?")
	for _, one := range s.served {
		if canary > 0 && (one.Release == canary) != gets {
			continue
		}
		for _, folder := range one.Folders {
			if rest, below := strings.CutPrefix(raw, folder.Path+"/"); below {
				name, err := url.PathUnescape(rest)
				if err != nil {
					name = "" // no file is called so
				}
				return staticFile{s, one.Release, folder, name}, true
			}
		}
	}
	return f, false
}

// open opens the file. The folder is a root that no link leads out of; names with
// a dot at their beginning are nobody's business.
func (f staticFile) open() (*os.File, os.FileInfo, error) {
	if f.name == "" || path.Clean("/" + f.name)[1:] != f.name || paas.Hidden(f.name) || strings.ContainsRune(f.name, 0) {
		return nil, nil, errNoFile
	}
	root, err := os.OpenRoot(filepath.Join(f.source, strconv.Itoa(f.release), filepath.FromSlash(f.folder.Dir)))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: release %d: %w", errNoFile, f.release, err)
	}
	defer func() { _ = root.Close() }()
	file, err := root.Open(f.name)
	if err != nil {
		return nil, nil, errNoFile
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		_ = file.Close()
		return nil, nil, errNoFile
	}
	return file, info, nil
}

// etag returns the file's strong validator: the hash of what it holds, so that it
// stays the same from release to release where the file does.
func (f staticFile) etag(file *os.File, info os.FileInfo) (string, error) {
	if info.Size() > maxHashed {
		return fmt.Sprintf(`"%x-%x"`, info.Size(), info.ModTime().UnixNano()), nil
	}
	key := strconv.Itoa(f.release) + "/" + f.folder.Dir + "/" + f.name
	f.mu.Lock()
	tag := f.etags[key]
	f.mu.Unlock()
	if tag != "" {
		return tag, nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", fmt.Errorf("%w: %s: %w", errNoFile, f.name, err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("%w: %s: %w", errNoFile, f.name, err)
	}
	tag = `"` + hex.EncodeToString(sum.Sum(nil)[:12]) + `"`
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.etags) >= maxTags {
		clear(f.etags)
	}
	f.etags[key] = tag
	return tag, nil
}

// awake reports whether the app's state lets its files be seen: a stopped app is
// stopped as a whole.
func (a *app) awake() bool {
	switch a.currentState() {
	case paas.AppNew, paas.AppStopped, paas.AppDeleting:
		return false
	}
	return true
}

// sendFile answers with a file of the release.
func (v *visit) sendFile(f staticFile) error {
	v.served, v.says.route = f.release, f.folder.Path+"/<path:filename>"
	if v.r.Method != http.MethodGet && v.r.Method != http.MethodHead {
		v.w.Header().Set("Allow", "GET, HEAD")
		return errMethod
	}
	file, info, err := f.open()
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	tag, err := f.etag(file, info)
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Etag", tag)
	h.Set("Content-Type", typeOf(f.name))
	h.Set("Cache-Control", v.cacheFor(f.folder))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Request-Id", v.id)
	v.relayed = true
	// Without a time: files have that of their upload, which a rollback turns back.
	http.ServeContent(&answer{v.w, v}, v.r, "", time.Time{}, file)
	return nil
}

// errMethod says that a static file was asked for in another way than to be read.
var errMethod = errors.New("static files can only be read")

// cacheFor says how long a browser may keep a file, and that nobody between may
// where a password stands before it.
func (v *visit) cacheFor(folder paas.Static) string {
	who := "public"
	if g := v.app.gate.Load(); g != nil && g.User != "" {
		who = "private"
	}
	if folder.Cache == 0 {
		return who + ", no-cache"
	}
	return who + ", max-age=" + strconv.FormatFloat(folder.Cache, 'f', 0, 64)
}

// types are those that a host's own list may lack or get wrong.
var types = map[string]string{
	".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8", ".map": "application/json", ".webmanifest": "application/manifest+json",
	".woff": "font/woff", ".woff2": "font/woff2", ".ttf": "font/ttf", ".otf": "font/otf", ".ico": "image/x-icon", ".txt": "text/plain; charset=utf-8",
	".md": "text/markdown; charset=utf-8", ".csv": "text/csv; charset=utf-8", ".mp4": "video/mp4", ".webm": "video/webm", ".mp3": "audio/mpeg",
	".ogg": "audio/ogg", ".zip": "application/zip", ".gz": "application/gzip",
}

// typeOf returns the type of a file by its name; what is not known is only
// downloaded.
func typeOf(name string) string {
	ext := strings.ToLower(path.Ext(name))
	if t := types[ext]; t != "" {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}

// answer counts what is sent for the record.
type answer struct {
	http.ResponseWriter
	v *visit
}

// WriteHeader notes the status.
func (a *answer) WriteHeader(status int) {
	a.v.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (a *answer) Write(p []byte) (int, error) {
	n, err := a.ResponseWriter.Write(p)
	a.v.bytes += int64(n)
	return n, err
}

// ReadFrom lets the kernel send the file where it can.
func (a *answer) ReadFrom(from io.Reader) (int64, error) {
	n, err := io.Copy(a.ResponseWriter, from)
	a.v.bytes += n
	return n, err
}
