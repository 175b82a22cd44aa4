package deploy

import (
	"context"
	"path/filepath"
	"slices"
	"time"

	"kurama/paas"
)

// spare is a replica that stands by for the next release of an app that is
// being worked on: who has just deployed often deploys again, and then the
// container and the interpreter are there already. It is made for one release
// number, one layer and one set of settings, and thrown away when they do not
// come true.
type spare struct {
	fleet *fleet
	spec  paas.Spec
	ready bool // it may be taken
}

// spareAfter is how long an app has its host for itself after it went live,
// before a spare is started.
const spareAfter = 3 * time.Second

// tendSpares starts a spare where an app may use one, and ends those that have
// lost their purpose.
func (d *Deployer) tendSpares(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range slices.Clone(d.spares) {
		if s.ready && !d.wanted(s, now) {
			d.dropSpare(s)
		}
	}
	for _, f := range d.fleets {
		if d.mayUseSpare(f, now) {
			d.addSpare(f)
		}
	}
}

// wanted reports whether a spare can still be of use. Callers hold mu.
func (d *Deployer) wanted(s *spare, now time.Time) bool {
	f := s.fleet
	return !f.deleting && s.spec.Restart == f.app.Restart && now.Sub(f.deployed) < d.opts.App.StandbyFor &&
		(s.spec.Release > f.number || f.numbers[s.spec.Release] != nil)
}

// mayUseSpare reports whether an app was deployed a moment ago, is calm again,
// and has no spare. Callers hold mu.
func (d *Deployer) mayUseSpare(f *fleet, now time.Time) bool {
	if d.opts.App.Standby <= 0 || f.number == 0 || f.app.Release == 0 || f.app.Desired == 0 || f.deleting || f.rolling || f.replacing ||
		f.waiting > 0 || len(f.numbers) > 0 || now.Sub(f.deployed) >= d.opts.App.StandbyFor || now.Before(f.spareAt) || now.Sub(f.liveAt) < spareAfter {
		return false
	}
	for _, r := range f.replicas {
		if r.busy || r.stage == leaving && r.State != paas.ReplicaStopped {
			return false
		}
	}
	return !slices.ContainsFunc(d.spares, func(s *spare) bool { return s.fleet == f })
}

// addSpare starts a spare beside the caller, in the place of the oldest where
// there is no room. Callers hold mu.
func (d *Deployer) addSpare(f *fleet) {
	if len(d.spares) >= d.opts.App.Standby {
		oldest := slices.IndexFunc(d.spares, func(s *spare) bool { return s.ready })
		if oldest < 0 || d.spares[oldest].fleet.deployed.After(f.deployed) {
			return
		}
		d.dropSpare(d.spares[oldest])
	}
	s := &spare{fleet: f, spec: paas.Spec{Replica: replicaID(f.key.app, f.number+1), Release: f.number + 1}}
	d.spares = append(d.spares, s)
	d.work.Go(func() { d.prepareSpare(s) })
}

// prepareSpare starts the container of a spare. An app that none can be made
// for is not tried again before its next deploy.
func (d *Deployer) prepareSpare(s *spare) {
	rel, err := d.liveRelease(d.life, s.fleet)
	var spec paas.Spec
	if err == nil {
		spec, err = d.spec(d.life, rel)
	}
	fit := err == nil && spareable(spec)
	spec.Replica, spec.Release = s.spec.Replica, s.spec.Release
	if fit {
		err = d.Engine.Prepare(d.life, spec)
	}
	if err != nil && d.life.Err() == nil {
		d.Log.Warn("no replica stands by for the next release", "app", s.fleet.key.app, "error", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if fit && err == nil {
		s.spec, s.ready = spec, true
		return
	}
	s.fleet.spareAt = s.fleet.deployed.Add(d.opts.App.StandbyFor)
	d.forgetSpare(s)
}

// spareable reports whether it is known what the app's process loads first. A
// library that patches others has to come before them.
func spareable(spec paas.Spec) bool {
	if !spec.Start.Plain() {
		return false
	}
	patching, _ := filepath.Glob(filepath.Join(spec.Layer, "lib", "python*", "site-packages", "[ge]*vent*"))
	return spec.Layer == "" || len(patching) == 0
}

// dropSpare ends a spare beside the caller. Callers hold mu.
func (d *Deployer) dropSpare(s *spare) {
	d.forgetSpare(s)
	d.work.Go(func() { d.removeSpare(s.spec.Replica) })
}

// endSpares ends those of an app that is being deleted.
func (d *Deployer) endSpares(f *fleet) {
	d.mu.Lock()
	var going []string
	for _, s := range slices.Clone(d.spares) {
		if s.fleet == f && s.ready {
			d.forgetSpare(s)
			going = append(going, s.spec.Replica)
		}
	}
	d.mu.Unlock()
	for _, replica := range going {
		d.removeSpare(replica)
	}
}

func (d *Deployer) removeSpare(replica string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.life), cleanTimeout)
	defer cancel()
	if err := d.Engine.Remove(ctx, replica); err != nil {
		d.Log.Warn("a replica that stood by stays behind", "replica", replica, "error", err)
	}
}

func (d *Deployer) forgetSpare(s *spare) {
	d.spares = slices.DeleteFunc(d.spares, func(o *spare) bool { return o == s })
}

// standsBy reports whether a container is a spare.
func (d *Deployer) standsBy(replica string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.ContainsFunc(d.spares, func(s *spare) bool { return s.spec.Replica == replica })
}

// takeSpare returns the name of a spare for spec, which belongs to the caller
// from then on; empty where there is none.
func (d *Deployer) takeSpare(spec paas.Spec) string {
	if !spareable(spec) {
		return ""
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.spares {
		if s.ready && s.spec.Alike(spec) {
			d.forgetSpare(s)
			return s.spec.Replica
		}
	}
	return ""
}

// startFast starts a replica, from a spare where there is one for it. It also
// returns the line for the build log, with places for the replica and the time,
// and what has to come true before the replica may serve for good.
func (d *Deployer) startFast(ctx context.Context, spec paas.Spec) (c paas.Container, how string, settled <-chan error, err error) {
	done := make(chan error, 1)
	if spec.Replica = d.takeSpare(spec); spec.Replica != "" {
		if c, err = d.Engine.Activate(ctx, spec); err == nil {
			d.work.Go(func() { done <- d.Engine.Settle(spec.Replica) })
			return c, "Started %s, which stood by, after %s.", done, nil
		}
		d.Log.Warn("a replica that stood by is not used", "app", spec.App, "error", err)
		d.removeSpare(spec.Replica)
	}
	done <- nil
	spec.Replica = replicaID(spec.App, spec.Release)
	c, err = d.Engine.Start(ctx, spec)
	return c, "Started %s after %s.", done, err
}
