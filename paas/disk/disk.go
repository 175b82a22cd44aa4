// Package disk knows what the platform's files take, tenant by tenant, and
// keeps deploys from filling the disk up. It removes nothing itself: what is old
// goes where it was made (sources and layers with a deploy, records with their
// retention), and only what Kurama made; where the disk gets low, or an operator
// asks, it has that done at once.
package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"kurama/internal/config"
	"kurama/paas"
)

// keepFor is how long a report is good: to make one each file is looked at.
const keepFor = 30 * time.Second

// relieveEvery is how often what nobody needs is collected while the disk is low.
const relieveEvery = time.Hour

// Guard watches the disk of the data folder.
type Guard struct {
	cfg  config.Disk
	data string
	log  *slog.Logger
	keep Keeper // nil: nothing can be collected

	mu     sync.Mutex // also held while a report is made: the next caller wants the same
	report paas.DiskReport
	at     time.Time
	low    bool // it was told

	relieved time.Time // when it was last to be collected
}

// New returns the guard of the data folder.
func New(cfg config.Disk, data string, log *slog.Logger) *Guard {
	return &Guard{cfg: cfg, data: data, log: log}
}

// Room returns *paas.Invalid where too little is free for a deploy.
func (g *Guard) Room() error {
	free, _, err := space(g.data)
	if err != nil {
		return err
	}
	if free < int64(g.cfg.Refuse) {
		return &paas.Invalid{Reason: fmt.Sprintf("The platform's disk has %s free, and a deploy needs %s. Nothing was stored; what runs goes on. Delete an app or a volume that is not needed, or ask the operator to make room.",
			mebibytes(free), mebibytes(int64(g.cfg.Refuse)))}
	}
	return nil
}

// Run tells the log when the disk gets low and when it has room again, until
// ctx ends.
func (g *Guard) Run(ctx context.Context) error {
	tick := time.NewTicker(g.cfg.Interval)
	defer tick.Stop()
	for {
		if g.look() {
			g.relieve(ctx)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look tells of a change, and reports whether to collect: the disk has just got
// low, or is so for an hour since that was done.
func (g *Guard) look() (collect bool) {
	free, _, err := space(g.data)
	if err != nil {
		g.log.Error("the disk cannot be read", "error", err)
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	low := free < int64(g.cfg.Warn)
	collect = low && (!g.low || time.Since(g.relieved) >= relieveEvery)
	if low && !g.low {
		g.log.Warn("the disk gets full; `kurama disk` says what takes it", "free", mebibytes(free), "deploys_refused_below", mebibytes(int64(g.cfg.Refuse)))
	} else if g.low && !low {
		g.log.Info("the disk has room again", "free", mebibytes(free))
	}
	if g.low = low; collect {
		g.relieved = time.Now()
	}
	return collect
}

// Report returns what all files take; one is at most half a minute old.
func (g *Guard) Report(ctx context.Context) (paas.DiskReport, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.at.IsZero() || time.Since(g.at) > keepFor {
		r, err := g.measure(ctx)
		if err != nil {
			return paas.DiskReport{}, err
		}
		g.report, g.at = r, time.Now()
	}
	r := g.report
	r.Tenants, r.Shared = slices.Clone(r.Tenants), maps.Clone(r.Shared)
	return r, nil
}

// owned are the folders of the data folder that hold one folder per tenant.
var owned = map[string]func(*paas.DiskUse) *int64{
	"releases": func(u *paas.DiskUse) *int64 { return &u.Releases },
	"archive":  func(u *paas.DiskUse) *int64 { return &u.Archive },
	"volumes":  func(u *paas.DiskUse) *int64 { return &u.Volumes },
	"wheels":   func(u *paas.DiskUse) *int64 { return &u.Wheels },
}

// databasesName is the folder of the apps' databases. What they hold is the
// tenants'; the rest of it, such as the write-ahead log, is shared.
const databasesName = "databases"

// shared are those that belong to no tenant, and what they are called.
var shared = map[string]string{"layers": "layers", "stream": "stream", "spool": "spool", "postgres": "database", databasesName: databasesName, "uploads": "uploads",
	"outbox": "outbox", "standby": "standby"}

func (g *Guard) measure(ctx context.Context) (paas.DiskReport, error) {
	r := paas.DiskReport{Shared: map[string]int64{}, Refuse: int64(g.cfg.Refuse), Warn: int64(g.cfg.Warn)}
	uses := map[string]*paas.DiskUse{}
	for folder, part := range owned {
		entries, err := os.ReadDir(filepath.Join(g.data, folder))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return r, fmt.Errorf("reading %s: %w", folder, err)
		}
		for _, e := range entries {
			bytes, err := taken(ctx, filepath.Join(g.data, folder, e.Name()))
			if err != nil {
				return r, err
			}
			if paas.CheckName("a tenant", e.Name()) != nil { // _host, _other, an upload on its way
				r.Shared[folder] += bytes
				continue
			}
			if uses[e.Name()] == nil {
				uses[e.Name()] = &paas.DiskUse{Tenant: e.Name()}
			}
			*part(uses[e.Name()]) += bytes
			uses[e.Name()].Total += bytes
		}
	}
	for folder, name := range shared {
		path := filepath.Join(g.data, folder)
		if to, err := filepath.EvalSymlinks(path); err == nil { // the database may lie elsewhere
			path = to
		}
		bytes, err := taken(ctx, path)
		if err != nil {
			return r, err
		}
		r.Shared[name] += bytes
	}
	if err := g.kept(ctx, &r, uses); err != nil {
		return r, err
	}
	for _, u := range uses {
		r.Tenants = append(r.Tenants, *u)
	}
	slices.SortFunc(r.Tenants, func(a, b paas.DiskUse) int { return int(max(-1, min(1, b.Total-a.Total))) })
	var err error
	r.Free, r.Size, err = space(g.data)
	r.Says = g.says(r)
	return r, err
}

func (g *Guard) says(r paas.DiskReport) string {
	switch {
	case r.Free < r.Refuse:
		return fmt.Sprintf("The disk has %s free, less than disk.refuse (%s): deploys are refused, what runs goes on. Make room.", mebibytes(r.Free), mebibytes(r.Refuse))
	case r.Free < r.Warn:
		return fmt.Sprintf("The disk has %s free, less than disk.warn (%s). Make room before deploys are refused at %s.", mebibytes(r.Free), mebibytes(r.Warn), mebibytes(r.Refuse))
	}
	return ""
}

// taken returns the bytes on the disk of all below path. A file with several
// names counts once, a sparse one what it has, and another file system (a
// volume that is mounted) not at all.
func taken(ctx context.Context, path string) (total int64, err error) {
	type inode struct{ dev, ino uint64 }
	seen := map[inode]bool{}
	var dev uint64
	err = filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // gone meanwhile
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return nil // gone meanwhile
		}
		s, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return nil
		}
		if at == path {
			dev = s.Dev
		}
		if s.Dev != dev {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if id := (inode{s.Dev, s.Ino}); s.Nlink < 2 || d.IsDir() || !seen[id] {
			seen[id] = true
			total += s.Blocks * 512
		}
		return ctx.Err()
	})
	if err != nil {
		return 0, fmt.Errorf("measuring %s: %w", path, err)
	}
	return total, nil
}

func space(path string) (free, size int64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return 0, 0, fmt.Errorf("the disk of %s cannot be read: %w", path, err)
	}
	return int64(s.Bavail) * s.Bsize, int64(s.Blocks) * s.Bsize, nil
}

func mebibytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }
