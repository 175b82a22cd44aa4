package deploy

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"kurama/paas"
)

// measureTimeout bounds one measurement of an app's isolation, which takes some
// seconds.
const measureTimeout = 90 * time.Second

//go:embed isolation/inside.py
var insideScript string

//go:embed isolation/twin.py
var twinScript string

// targets are the addresses that an app must not reach.
type targets struct{ tenants, neighbours, host, metadata []string }

func (t targets) all() []string { return slices.Concat(t.tenants, t.neighbours, t.host, t.metadata) }

// Isolation measures what an app's code may do: in one of its replicas what
// harms nothing, and in a fresh container of the same release and profile what
// would: processes without end, memory, disk and CPU. It returns
// paas.ErrNotFound for an app that does not exist, *paas.Invalid where no
// replica serves and paas.ErrConflict while the app is being measured already.
func (d *Deployer) Isolation(ctx context.Context, tenant, app string) (paas.Isolation, error) {
	ctx, cancel := context.WithTimeout(ctx, measureTimeout)
	defer cancel()
	if _, err := d.Store.App(ctx, tenant, app); err != nil {
		return paas.Isolation{}, err
	}
	r, err := d.measured(key{tenant, app})
	if err != nil {
		return paas.Isolation{}, err
	}
	defer d.measureEnded(key{tenant, app})
	rel, err := d.Store.Release(ctx, tenant, app, r.Release)
	if err != nil {
		return paas.Isolation{}, err
	}
	card := paas.Isolation{Replica: r.ID, Release: rel.Number, MeasuredAt: time.Now().UTC()}
	found, err := d.Engine.Inspect(ctx, r.ID)
	if err != nil {
		return paas.Isolation{}, err
	}
	tried, in, err := d.lookInside(ctx, r)
	if err != nil {
		return paas.Isolation{}, fmt.Errorf("isolation of app %s: %w", app, err)
	}
	t, err := d.tryTwin(ctx, rel)
	if err != nil {
		return paas.Isolation{}, fmt.Errorf("isolation of app %s: %w", app, err)
	}
	card.Checks = append(gradeInside(in, rel.Limits, tried, found.Runtime), gradeTwin(t, rel.Limits)...)
	card.OK = !slices.ContainsFunc(card.Checks, func(c paas.IsolationCheck) bool { return !c.OK })
	return card, nil
}

// measured picks a replica that serves and keeps others from measuring the app
// meanwhile.
func (d *Deployer) measured(k key) (paas.Replica, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.fleets[k]; f != nil {
		for _, r := range f.in(serving) {
			if r.State != paas.ReplicaHealthy || r.busy {
				continue
			}
			if f.measuring {
				return paas.Replica{}, fmt.Errorf("app %s is being measured already, try again in some seconds: %w", k.app, paas.ErrConflict)
			}
			f.measuring = true
			return r.Replica, nil
		}
	}
	return paas.Replica{}, &paas.Invalid{Reason: "No replica of " + k.app + " serves, so there is nothing to measure. Deploy or start it first."}
}

func (d *Deployer) measureEnded(k key) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.fleets[k]; f != nil {
		f.measuring = false
	}
}

// lookInside measures in a live replica. A service on every address of the host
// is there to be reached meanwhile.
func (d *Deployer) lookInside(ctx context.Context, r paas.Replica) (targets, inside, error) {
	var in inside
	bait, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		return targets{}, in, err
	}
	defer bait.Close()
	_, port, err := net.SplitHostPort(bait.Addr().String())
	if err != nil {
		return targets{}, in, err
	}
	tried := d.targetsOf(r, port)
	err = ask(insideScript, map[string]any{"addresses": tried.all()}, &in, func(command []string, fn func(_, line string)) (int, error) {
		return d.Engine.Exec(ctx, r.ID, command, fn)
	})
	return tried, in, err
}

func (d *Deployer) tryTwin(ctx context.Context, rel paas.Release) (twin, error) {
	var t twin
	spec, err := d.spec(ctx, rel)
	if err != nil {
		return t, err
	}
	// The walls are measured, not the app: its packages and settings have no part in it.
	spec.Replica, spec.Layer, spec.Env = replicaID(rel.App, rel.Number), "", nil
	limits := map[string]any{"pids": rel.Limits.Pids, "disk": rel.Limits.Disk, "memory": rel.Limits.Memory}
	err = ask(twinScript, limits, &t, func(command []string, fn func(_, line string)) (int, error) {
		return d.Engine.Run(ctx, spec, command, fn)
	})
	return t, err
}

// ask runs a script with Python alone, so that nothing of the app has a part in
// it, and reads the JSON that it prints.
func ask(script string, question, answer any, run func(command []string, fn func(stream, line string)) (int, error)) error {
	text, err := json.Marshal(question)
	if err != nil {
		return err
	}
	var last, said string
	exit, err := run([]string{"python3", "-I", "-S", "-c", script, string(text)}, func(stream, line string) {
		if said = line; stream == "stdout" {
			last = line
		}
	})
	if err != nil {
		return err
	}
	if exit != 0 || last == "" {
		return fmt.Errorf("the measuring ended with %d: %s", exit, said)
	}
	if err := json.Unmarshal([]byte(last), answer); err != nil {
		return fmt.Errorf("the measuring answered %.200q: %w", last, err)
	}
	return nil
}

// baits bounds how many addresses of each kind are tried.
const baits = 16

// targetsOf returns what a replica must not reach; port is where the host
// listens on all of its addresses.
func (d *Deployer) targetsOf(self paas.Replica, port string) targets {
	t := targets{metadata: []string{"169.254.169.254:80", "100.100.100.200:80"}}
	d.mu.Lock()
	for _, f := range d.fleets {
		for _, r := range f.in(serving) {
			switch {
			case r.ID == self.ID || r.State != paas.ReplicaHealthy:
			case f.tenant != self.Tenant:
				t.tenants = append(t.tenants, r.Address)
			default:
				t.neighbours = append(t.neighbours, r.Address)
			}
		}
	}
	d.mu.Unlock()
	t.tenants, t.neighbours = t.tenants[:min(baits, len(t.tenants))], t.neighbours[:min(baits, len(t.neighbours))]
	addresses, _ := net.InterfaceAddrs() // none are then told as none
	for _, a := range addresses {
		p, err := netip.ParsePrefix(a.String())
		if err == nil && p.Addr().Is4() && !p.Addr().IsLoopback() && len(t.host) < baits {
			t.host = append(t.host, net.JoinHostPort(p.Addr().String(), port))
		}
	}
	return t
}

// joined lists names in a sentence.
func joined[T any](list []T) string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(list)), ", "), "[]")
}
