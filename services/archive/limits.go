package archive

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kurama/internal/config"
	"kurama/paas"
)

// limitsName is the file in a tenant's folder that says what is kept of it,
// where that is not what the configuration says.
const limitsName = "limits.json"

// maxRetention bounds how long a tenant's files are kept.
const maxRetention = 20 * 365 * 24 * time.Hour

// Limits say how much is kept of a tenant's archive.
type Limits struct {
	Version int   `json:"version"`
	Seconds int64 `json:"retention"` // files of days before are deleted, s
	Max     int64 `json:"max_bytes"` // beyond it the tenant's oldest files go; 0: no bound
}

// Retention is how long files are kept.
func (l Limits) Retention() time.Duration { return time.Duration(l.Seconds) * time.Second }

// check returns a *paas.Invalid where l is out of bounds.
func (l Limits) check() error {
	switch {
	case l.Seconds < 24*3600 || l.Retention() > maxRetention:
		return &paas.Invalid{Reason: fmt.Sprintf("A retention of %s is not possible: use one day (24h) to 20 years.", l.Retention())}
	case l.Max < 0:
		return &paas.Invalid{Reason: fmt.Sprintf("A bound of %d bytes is not possible: use 0 for none, or more.", l.Max)}
	}
	return nil
}

func defaultLimits(cfg config.Archive) Limits {
	return Limits{Version: manifestVersion, Seconds: int64(cfg.Retention / time.Second), Max: int64(cfg.TenantMax)}
}

// readLimits returns what is kept of a tenant. The folders that belong to no
// tenant have no bound.
func readLimits(dir, tenant string, cfg config.Archive) (Limits, error) {
	keep := defaultLimits(cfg)
	if strings.HasPrefix(tenant, "_") {
		keep.Max = 0
		return keep, nil
	}
	return keep, readJSON(filepath.Join(dir, tenant, limitsName), &keep, func() int { return keep.Version })
}

// Limits returns what is kept of a tenant's archive, and whether that was set
// for it alone. cfg gives the defaults.
func (r *Reader) Limits(tenant string, cfg config.Archive) (keep Limits, own bool, err error) {
	if err := paas.CheckName("a tenant", tenant); err != nil {
		return keep, false, &paas.Invalid{Reason: err.Error()}
	}
	if keep, err = readLimits(r.dir, tenant, cfg); err != nil {
		return keep, false, err
	}
	_, err = os.Stat(filepath.Join(r.dir, tenant, limitsName))
	return keep, err == nil, nil
}

// SetLimits says what is kept of a tenant's archive from now on; nil stands for
// the defaults. The role follows within ten minutes. Errors: *paas.Invalid.
func (r *Reader) SetLimits(tenant string, keep *Limits) error {
	if err := paas.CheckName("a tenant", tenant); err != nil {
		return &paas.Invalid{Reason: err.Error()}
	}
	path := filepath.Join(r.dir, tenant, limitsName)
	if keep == nil {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("removing the limits of the archive: %w", err)
		}
		return nil
	}
	if err := keep.check(); err != nil {
		return err
	}
	for _, folder := range []string{r.dir, filepath.Dir(path)} {
		if err := makeFolder(folder); err != nil {
			return err
		}
	}
	stored := *keep
	stored.Version = manifestVersion
	return writeJSON(path, stored)
}

// Usage returns what each app of a tenant has in the archive, by its name.
func (r *Reader) Usage(tenant string) (map[string]Listing, error) {
	if err := paas.CheckName("a tenant", tenant); err != nil {
		return nil, &paas.Invalid{Reason: err.Error()}
	}
	manifests, err := filepath.Glob(filepath.Join(r.dir, tenant, "*", manifestName))
	if err != nil {
		return nil, fmt.Errorf("listing the archive of %s: %w", tenant, err)
	}
	use := map[string]Listing{}
	for _, path := range manifests {
		app := filepath.Base(filepath.Dir(path))
		if use[app], err = r.List(tenant, app); err != nil {
			return nil, err
		}
	}
	return use, nil
}

// bound removes the oldest files of tenants whose archive is larger than it may
// be.
func (l *library) bound() error {
	tenants := map[string][]*shelf{}
	for name, s := range l.shelves {
		tenant, _, _ := strings.Cut(name, "/")
		tenants[tenant] = append(tenants[tenant], s)
	}
	for tenant, shelves := range tenants {
		keep, err := readLimits(l.dir, tenant, l.cfg)
		if err != nil {
			return err
		}
		if keep.Max == 0 {
			continue
		}
		if err := shrink(shelves, keep.Max); err != nil {
			return err
		}
	}
	return nil
}

// shrink drops the oldest files of the shelves until they hold at most most
// bytes together.
func shrink(shelves []*shelf, most int64) error {
	var bytes int64
	for _, s := range shelves {
		for i := range s.manifest.Files {
			bytes += s.manifest.Files[i].Bytes
		}
	}
	for bytes > most {
		oldest := slices.MinFunc(shelves, func(a, b *shelf) int { return cmp.Compare(a.oldest(), b.oldest()) })
		gone := oldest.manifest.Files[0]
		oldest.log.Warn("the archive of a tenant is full: its oldest file is removed", "folder", oldest.folder, "file", gone.Name, "max_bytes", most)
		if err := oldest.drop(1, oldest.manifest.Removed+gone.Records); err != nil {
			return err
		}
		bytes -= gone.Bytes
	}
	return nil
}

// oldest returns the time of the last record of the shelf's first file, in µs;
// a shelf without files is the youngest.
func (s *shelf) oldest() int64 {
	if len(s.manifest.Files) == 0 {
		return 1<<63 - 1
	}
	return s.manifest.Files[0].To.UnixMicro()
}
