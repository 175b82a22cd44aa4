package deploy

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"kurama/paas"
)

// reapply is how often an unchanged table is sent again, for a router that
// lost its own.
const reapply = 15 * time.Second

// tableSender keeps the routing tables in order.
type tableSender struct {
	mu      sync.Mutex // held while a table is on its way
	version int64
	sent    paas.Table
	at      time.Time
	changed bool

	nameless bool // it was told that internal names do not work
}

// publish puts the table of what is now healthy in force. It returns when the
// router has it.
func (d *Deployer) publish(ctx context.Context) error {
	d.table.mu.Lock()
	defer d.table.mu.Unlock()
	next := paas.Table{Routes: d.routes(), Networks: d.networks(ctx), Version: d.table.sent.Version}
	if !d.table.changed && time.Since(d.table.at) < reapply && reflect.DeepEqual(next, d.table.sent) {
		return nil
	}
	d.table.changed = true // until the router has taken it
	for range 20 {
		d.table.version = max(d.table.version+1, time.Now().UnixNano())
		next.Version = d.table.version
		err := d.Router.Apply(ctx, next)
		if errors.Is(err, paas.ErrConflict) {
			// The clock went back since the table in force was made.
			d.table.version += int64(24 * time.Hour)
			continue
		}
		if err == nil {
			d.table.sent, d.table.at, d.table.changed = next, time.Now(), false
		}
		return err
	}
	return errors.New("the router keeps a table with a version far in the future")
}

// networks returns where the tenants' containers are, once each container knows
// the apps of its tenant. A failure costs the internal names, never the table.
func (d *Deployer) networks(ctx context.Context) []paas.Network {
	found, err := d.Engine.Networks(ctx)
	err = errors.Join(err, d.Engine.Announce(d.names()))
	if said := err != nil; said != d.table.nameless {
		if d.table.nameless = said; said {
			d.Log.Warn("apps do not reach one another by their internal names", "error", err)
		}
	}
	return found
}

// names returns the apps of each tenant, in order.
func (d *Deployer) names() map[string][]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	apps := map[string][]string{}
	for _, f := range d.fleets {
		if !f.deleting {
			apps[f.tenant] = append(apps[f.tenant], f.key.app)
		}
	}
	for _, list := range apps {
		slices.Sort(list)
	}
	return apps
}

// publishSoon retries until the router answers or patience ends: it may be
// restarting, and replicas must not be stopped while it still sends to them.
func (d *Deployer) publishSoon(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := d.publish(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// routes returns the routes of all apps in a fixed order.
func (d *Deployer) routes() []paas.Route {
	d.mu.Lock()
	defer d.mu.Unlock()
	routes := make([]paas.Route, 0, len(d.fleets))
	for _, f := range d.fleets {
		if f.deleting {
			continue
		}
		route := paas.Route{Tenant: f.tenant, App: f.key.app, Hosts: slices.Concat(paas.Hosts(f.tenant, f.key.app, d.opts.Domain), f.app.Routing.Active), Gate: f.app.Routing.Gate(), Bounds: f.app.Routing.Bounds, Canary: f.app.Canary,
			State: f.app.State, Targets: []paas.Target{}, Static: f.served()}
		for _, r := range slices.SortedFunc(maps.Values(f.replicas), oldestFirst) {
			if r.stage == serving && r.State == paas.ReplicaHealthy {
				route.Targets = append(route.Targets, paas.Target{Replica: r.ID, Release: r.Release, Address: r.Address})
			}
		}
		routes = append(routes, route)
	}
	slices.SortFunc(routes, func(a, b paas.Route) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.App, b.App))
	})
	return routes
}
