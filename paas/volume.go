package paas

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"
)

// Volume is a folder of an app that outlives its replicas and releases, and is
// shared by the replicas that run at a time.
type Volume struct {
	Path      string    `json:"path" doc:"Below the app's source: instance, data/uploads"`
	Size      int64     `json:"size" doc:"Bytes that it can hold"`
	Used      *int64    `json:"used" doc:"Bytes taken; null while it is not mounted"`
	CreatedAt time.Time `json:"created_at"`
}

// Bounds of the volumes of one app.
const (
	MaxVolumes    = 8
	MinVolume     = 8 << 20   // bytes; a file system takes some for itself
	DefaultVolume = 256 << 20 // bytes
)

var volumePath = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,62}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,62}){0,3}$`)

// CheckVolume returns *Invalid with the reason why v cannot be a volume beside
// the others of an app, which may hold most bytes together.
func CheckVolume(v Volume, others []Volume, most int64) error {
	wrong := func(format string, args ...any) error { return &Invalid{Reason: fmt.Sprintf(format, args...)} }
	total := v.Size
	for _, o := range others {
		total += o.Size
		if v.Path != o.Path && (strings.HasPrefix(v.Path+"/", o.Path+"/") || strings.HasPrefix(o.Path+"/", v.Path+"/")) {
			return wrong("A volume at `%s` would lie across the one at `%s`: volumes cannot be nested.", v.Path, o.Path)
		}
	}
	switch {
	case !volumePath.MatchString(v.Path) || path.Clean(v.Path) != v.Path:
		return wrong("%q cannot be a volume: name a folder below the app's source, such as `instance` or `data/uploads`.", v.Path)
	case strings.HasSuffix(v.Path, ".img") || strings.HasSuffix(v.Path, ".new"):
		return wrong("A volume at `%s` would meet files of Kurama's own: its name cannot end in .img or .new.", v.Path)
	case v.Size < MinVolume:
		return wrong("A volume of %d bytes is too small: use at least %d MiB.", v.Size, MinVolume>>20)
	case len(others) >= MaxVolumes:
		return wrong("The app has %d volumes, which is the limit.", MaxVolumes)
	case total > most:
		return wrong("The volumes of the app would hold %d MiB together: at most %d MiB are allowed (app.volume_max).", total>>20, most>>20)
	}
	return nil
}
