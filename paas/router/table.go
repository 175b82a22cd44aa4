package router

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kurama/paas"
)

// table is the routing table in force, for lookups by host. It never changes:
// Apply puts a new one in its place. The apps in it live on from table to table.
type table struct {
	version int64
	hosts   map[string]*place
	apps    []*app
	inside  *inside // nil: no network is known
}

// place is what is found on a host.
type place struct {
	whole *app    // takes all that no path below takes; nil: none
	below []mount // the longest path first
}

// mount is an app below a path of a host.
type mount struct {
	prefix string
	app    *app
}

// add puts an app on a host, or on a path below it.
func (t *table) add(domain string, a *app) {
	host, prefix := paas.SplitDomain(domain)
	host = strings.ToLower(host)
	p := t.hosts[host]
	if p == nil {
		p = &place{}
		t.hosts[host] = p
	}
	if prefix == "" {
		p.whole = a
		return
	}
	p.below = append(p.below, mount{prefix, a})
	slices.SortFunc(p.below, func(a, b mount) int { return len(b.prefix) - len(a.prefix) })
}

// find returns the app of a request to a host and the path that it is mounted
// below: the longest that the request's begins with, as far as a slash.
func (t *table) find(host, path string) (a *app, prefix string) {
	p := t.hosts[host]
	if p == nil {
		return nil, ""
	}
	for _, m := range p.below {
		if rest, ok := strings.CutPrefix(path, m.prefix); ok && (rest == "" || rest[0] == '/' || rest[0] == '?') {
			return m.app, m.prefix
		}
	}
	return p.whole, ""
}

// Apply puts t into force, after it is on disk. It wraps paas.ErrConflict when t
// is older than the table in force, and returns *paas.Invalid when two apps
// claim a host.
func (rt *Router) Apply(t paas.Table) error {
	rt.applyMu.Lock()
	defer rt.applyMu.Unlock()
	if now := rt.table.Load().version; t.Version < now {
		return fmt.Errorf("table %d is older than table %d in force: %w", t.Version, now, paas.ErrConflict)
	}
	if err := checkTable(t); err != nil {
		return err
	}
	if err := saveTable(rt.opts.StatePath, t); err != nil {
		return err
	}
	rt.swap(t)
	rt.log.Debug("table in force", "version", t.Version, "apps", len(t.Routes))
	return nil
}

// swap makes t the table for all requests from now on. An app that left it
// refuses the requests that still wait and lets those in flight end.
func (rt *Router) swap(t paas.Table) {
	known := map[string]*app{}
	if old := rt.table.Load(); old != nil {
		for _, a := range old.apps {
			known[a.key()] = a
		}
	}
	next := &table{version: t.Version, hosts: map[string]*place{}}
	for _, route := range t.Routes {
		key := route.Tenant + "/" + route.App
		a := known[key]
		if a == nil {
			a = newApp(route.Tenant, route.App, rt.cfg, rt.log, rt.knock)
		}
		delete(known, key)
		next.apps = append(next.apps, a)
		for _, host := range route.Hosts {
			next.add(host, a)
		}
		a.bounds.Store(newBounds(route.Bounds, rt.cfg))
		a.canary.Store(nil)
		if route.Canary.Release > 0 {
			a.canary.Store(&route.Canary)
		}
		if g := a.gate.Load(); g == nil || g.Gate != route.Gate {
			a.gate.Store(newGate(route.Gate))
		}
		a.serveStatic(rt.opts.Releases, route.Static)
		a.update(route.State, route.Targets)
	}
	byName := make(map[string]*app, len(next.apps))
	for _, a := range next.apps {
		byName[a.key()] = a
	}
	next.inside = newInside(t, byName)
	rt.table.Store(next)
	for _, a := range known {
		a.update(paas.AppDeleting, nil)
		rt.keepGone(a)
	}
}

func (rt *Router) keepGone(a *app) {
	rt.goneMu.Lock()
	defer rt.goneMu.Unlock()
	rt.gone = append(rt.gone, a)
}

// InFlight returns the requests in flight of each replica in the table, and of those
// that left it until their last request has ended.
func (rt *Router) InFlight() map[string]int {
	counts := map[string]int{}
	for _, a := range rt.table.Load().apps {
		a.count(counts)
	}
	rt.goneMu.Lock()
	defer rt.goneMu.Unlock()
	for _, a := range rt.gone {
		a.count(counts)
	}
	return counts
}

// Heard returns, for each replica in the table, how often something came from
// it since this router has known it: a count that grows is a sign of life, also
// where the replica is too busy to answer anybody else.
func (rt *Router) Heard() map[string]int64 {
	heard := map[string]int64{}
	for _, a := range rt.table.Load().apps {
		a.hear(heard)
	}
	return heard
}

// knows reports whether an app answers on host.
func (rt *Router) knows(host string) bool { return rt.table.Load().hosts[hostname(host)] != nil }

// forgetGone lets go of the apps that left the table and have nothing in flight.
func (rt *Router) forgetGone() {
	rt.goneMu.Lock()
	defer rt.goneMu.Unlock()
	rt.gone = slices.DeleteFunc(rt.gone, func(a *app) bool { return a.count(map[string]int{}) == 0 })
}

func checkTable(t paas.Table) error {
	owner := map[string]string{}
	for _, route := range t.Routes {
		app := route.Tenant + "/" + route.App
		for _, host := range route.Hosts {
			name, path := paas.SplitDomain(host)
			host = strings.ToLower(name) + path
			if other, taken := owner[host]; taken && other != app {
				return &paas.Invalid{Reason: fmt.Sprintf("The domain %s belongs to two apps, %s and %s.", host, other, app)}
			}
			owner[host] = app
		}
	}
	return nil
}

// loadTable reads the saved table; a missing file is an empty table.
func loadTable(path string) (paas.Table, error) {
	var t paas.Table
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &t)
	}
	if err != nil {
		return t, fmt.Errorf("routing table %s: %w", path, err)
	}
	return t, nil
}

// saveTable replaces the file at path so that after a crash it holds the old
// table or the new one.
func saveTable(path string, t paas.Table) error {
	data, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("routing table %d: %w", t.Version, err)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("folder of the routing table: %w", err)
	}
	if err := writeSynced(path+".new", data); err != nil {
		return fmt.Errorf("routing table %s: %w", path, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("routing table %s: %w", path, err)
	}
	return syncDir(dir)
}

func writeSynced(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Sync(), file.Close())
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
