package deploy

import (
	"context"
	"time"

	"kurama/paas"
)

// Figures knows how releases do.
type Figures interface {
	// Figures returns how a release did from from to to; with from zero in the last
	// hour before to in which it answered requests. Response times of the minutes up
	// to warm are left out.
	Figures(ctx context.Context, tenant, app string, release int, from, to, warm time.Time) (paas.ReleaseFigures, error)
}

// Compare says how the requests of a release do against those of another; 0
// stands for the one that was live before, or beside a canary. It returns
// paas.ErrNotFound for a release that does not exist.
func (d *Deployer) Compare(ctx context.Context, tenant, app string, number, against int) (paas.Comparison, error) {
	a, err := d.Store.App(ctx, tenant, app)
	if err != nil {
		return paas.Comparison{}, err
	}
	rel, err := d.Store.Release(ctx, tenant, app, number)
	if err != nil {
		return paas.Comparison{}, err
	}
	var before paas.Release
	if against > 0 {
		before, err = d.Store.Release(ctx, tenant, app, against)
	} else {
		before, err = d.former(ctx, rel)
	}
	if err != nil {
		return paas.Comparison{}, err
	}
	now, was, err := d.figures(ctx, rel, before, time.Now())
	return paas.Judge(now, was, a.Rollback, paas.FalseAlarm), err
}

// former returns the release to compare rel with; the zero value where there is none.
func (d *Deployer) former(ctx context.Context, rel paas.Release) (paas.Release, error) {
	releases, err := d.Store.Releases(ctx, rel.Tenant, rel.App, 0)
	if err != nil {
		return paas.Release{}, err
	}
	before, _ := rel.Before(releases)
	return before, nil
}

// figures returns those of a release up to a moment, and those to compare them
// with: of a canary's time the other's of the same minutes, else the last hour
// before the release went live.
func (d *Deployer) figures(ctx context.Context, rel, before paas.Release, at time.Time) (now, was paas.ReleaseFigures, err error) {
	now, was = paas.ReleaseFigures{Release: rel.Number, From: at, To: at}, paas.ReleaseFigures{Release: before.Number}
	if served(rel).IsZero() {
		return now, was, nil // it never got a request
	}
	if now, err = d.ownFigures(ctx, rel, at); err != nil || before.Number == 0 {
		return now, was, err
	}
	was, err = d.formerFigures(ctx, rel, before, now)
	return now, was, err
}

// ownFigures returns those of a release up to a moment, of its last hour at most.
func (d *Deployer) ownFigures(ctx context.Context, rel paas.Release, at time.Time) (paas.ReleaseFigures, error) {
	begin := served(rel)
	f, err := d.Figures.Figures(ctx, rel.Tenant, rel.App, rel.Number, time.Time{}, at, begin)
	if f.From.Before(begin) {
		f.From = begin
	}
	return f, err
}

func (d *Deployer) formerFigures(ctx context.Context, rel, before paas.Release, now paas.ReleaseFigures) (paas.ReleaseFigures, error) {
	if rel.LiveAt == nil {
		return d.Figures.Figures(ctx, before.Tenant, before.App, before.Number, now.From, now.To, time.Time{})
	}
	return d.Figures.Figures(ctx, before.Tenant, before.App, before.Number, time.Time{}, *rel.LiveAt, time.Time{})
}
