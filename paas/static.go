package paas

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Static is a folder of an app's source that the router serves by itself.
type Static struct {
	Path  string  `json:"path"`            // that the requests' paths begin with, such as /static
	Dir   string  `json:"dir"`             // below the source, such as shop/static
	Cache float64 `json:"cache,omitempty"` // s for which a browser keeps a file without asking; 0: it asks each time whether it is still the same
}

// ServedStatic is what the router serves of one release.
type ServedStatic struct {
	Release int      `json:"release"`
	Folders []Static `json:"folders"`
}

// Bounds of an app's static folders.
const (
	MaxStatic      = 8
	MaxStaticCache = 365 * 86_400.0 // s, what browsers take for ever
)

var staticPath = regexp.MustCompile(`^(/[A-Za-z0-9_.~-]+){1,8}$`)

// CheckStatic returns *Invalid with the reason why s cannot be served beside the
// other folders of an app and its volumes.
func CheckStatic(s Static, others []Static, volumes []Volume) error {
	wrong := func(format string, args ...any) error { return &Invalid{Reason: fmt.Sprintf(format, args...)} }
	for _, o := range others {
		if o.Path == s.Path {
			return wrong("`%s` is served from `%s` already.", s.Path, o.Dir)
		}
	}
	for _, v := range volumes {
		if strings.HasPrefix(v.Path+"/", s.Dir+"/") || strings.HasPrefix(s.Dir+"/", v.Path+"/") {
			return wrong("`%s` holds the volume `%s`, which the router does not see: it serves what a release ships. Keep what the app writes elsewhere.", s.Dir, v.Path)
		}
	}
	switch {
	case len(others) >= MaxStatic:
		return wrong("%d static folders are the limit.", MaxStatic)
	case !staticPath.MatchString(s.Path) || path.Clean(s.Path) != s.Path:
		return wrong("%q cannot be the path of static files: name one such as `/static`.", s.Path)
	case s.Dir == "." || s.Dir == "" || path.IsAbs(s.Dir) || path.Clean(s.Dir) != s.Dir || Hidden(s.Dir) || strings.Contains(s.Dir, `\`):
		return wrong("%q cannot be a folder of static files: name one below the app's source, such as `shop/static`. The source itself is not for visitors.", s.Dir)
	case s.Cache < 0 || s.Cache > MaxStaticCache:
		return wrong("A file cannot be kept for %g s: use 0 to %g s, a year.", s.Cache, MaxStaticCache)
	}
	return nil
}

// Hidden reports whether a path has a name that is no visitor's business: one
// that begins with a dot, but for .well-known (RFC 8615).
func Hidden(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") && part != ".well-known" {
			return true
		}
	}
	return false
}
