package main

import (
	"context"
	"time"

	"kurama/logship/record"
	"kurama/paas/api"
	"kurama/paas/deploy"
	"kurama/services/alert"
	"kurama/services/persist"
	"kurama/services/profile"
)

// The types below let the API use the services without knowing them.

type logQuery struct{ q *persist.Query }

// Logs returns records newest first.
func (l logQuery) Logs(ctx context.Context, f api.LogFilter) ([]record.Record, string, error) {
	return l.q.Logs(ctx, persist.Filter(f))
}

// Follow yields new records.
func (l logQuery) Follow(ctx context.Context, f api.LogFilter, fn func(*record.Record) error) error {
	return l.q.Follow(ctx, persist.Filter(f), fn)
}

type alertRules struct{ r *alert.Rules }

// Rules lists an app's rules.
func (a alertRules) Rules(ctx context.Context, tenant, app string) ([]api.Rule, error) {
	rules, err := a.r.List(ctx, tenant, app)
	list := make([]api.Rule, len(rules))
	for i, r := range rules {
		list[i] = apiRule(r)
	}
	return list, err
}

// AddRule stores a rule.
func (a alertRules) AddRule(ctx context.Context, tenant, app, by string, r api.NewRule) (api.Rule, error) {
	added, err := a.r.Add(ctx, alert.Rule{Tenant: tenant, App: app, Condition: r.Condition, For: r.For, KeepFiring: r.KeepFiring, Repeat: r.Repeat, Receiver: r.Receiver, CreatedBy: by})
	return apiRule(added), err
}

func apiRule(r alert.Rule) api.Rule {
	return api.Rule{ID: r.ID, Condition: r.Condition, For: r.For, KeepFiring: r.KeepFiring, Repeat: r.Repeat, Receiver: r.Receiver, State: r.State, Since: r.Since, Value: r.Value, CreatedAt: r.CreatedAt}
}

// DeleteRule removes a rule.
func (a alertRules) DeleteRule(ctx context.Context, tenant, app, id string) error {
	return a.r.Remove(ctx, tenant, app, id)
}

// ReleaseReceivers lists who is told of releases.
func (a alertRules) ReleaseReceivers(ctx context.Context, tenant, app string) ([]string, error) {
	return a.r.ReleaseReceivers(ctx, tenant, app)
}

// SetReleaseReceivers says who is told of releases.
func (a alertRules) SetReleaseReceivers(ctx context.Context, tenant, app, by string, receivers []string) error {
	return a.r.SetReleaseReceivers(ctx, tenant, app, by, receivers)
}

// PreviewRule tries a condition on the last hour.
func (a alertRules) PreviewRule(ctx context.Context, tenant, app, condition string, hold float64) (api.RulePreview, error) {
	p, err := a.r.Preview(ctx, tenant, app, condition, hold)
	view := api.RulePreview{Condition: p.Condition, From: p.From, To: p.To, Subject: p.Subject, Unit: p.Unit, Limit: p.Limit,
		Points: make([]api.PreviewPoint, len(p.Points)), Fired: p.Fired, Held: p.Held.Seconds(), Now: p.Now}
	for i, point := range p.Points {
		view.Points[i] = api.PreviewPoint(point)
	}
	return view, err
}

// Silences lists those that are not over.
func (a alertRules) Silences(ctx context.Context, tenant, app string) ([]api.Silence, error) {
	silences, err := a.r.Silences(ctx, tenant, app)
	list := make([]api.Silence, len(silences))
	for i, s := range silences {
		list[i] = apiSilence(s)
	}
	return list, err
}

func apiSilence(s alert.Silence) api.Silence {
	return api.Silence{ID: s.ID, Alert: s.Rule, StartsAt: s.StartsAt, EndsAt: s.EndsAt, Comment: s.Comment, CreatedBy: s.CreatedBy}
}

// AddSilence silences an alert, or all of an app's.
func (a alertRules) AddSilence(ctx context.Context, tenant, app, by string, s api.NewSilence) (api.Silence, error) {
	added, err := a.r.Silence(ctx, alert.Silence{Tenant: tenant, App: app, Rule: s.Alert, StartsAt: s.StartsAt, EndsAt: s.EndsAt, Comment: s.Comment, CreatedBy: by})
	return apiSilence(added), err
}

// EndSilence ends a silence.
func (a alertRules) EndSilence(ctx context.Context, tenant, app, id string) error {
	return a.r.EndSilence(ctx, tenant, app, id)
}

// TestRule sends a test message.
func (a alertRules) TestRule(ctx context.Context, tenant, app, id string) error {
	return a.r.Test(ctx, tenant, app, id)
}

// Notifications lists an app's messages.
func (a alertRules) Notifications(ctx context.Context, tenant, app string, limit int) ([]api.Notification, error) {
	sent, err := a.r.Notifications(ctx, tenant, app, limit)
	list := make([]api.Notification, len(sent))
	for i, n := range sent {
		list[i] = api.Notification(n)
	}
	return list, err
}

// Mail returns one message.
func (a alertRules) Mail(ctx context.Context, tenant, id string) ([]byte, error) {
	return a.r.EML(ctx, tenant, id)
}

type profileQuery struct{ q *profile.Query }

// Profile returns the figures of an app's routes.
func (p profileQuery) Profile(ctx context.Context, tenant, app string, window time.Duration) (api.ProfileView, error) {
	r, err := p.q.Report(ctx, tenant, app, window)
	return api.ProfileView{Window: window.String(), From: r.From, To: r.To, Routes: apiRoutes(r.Routes), Total: api.RouteProfile(r.Total),
		ByMean: apiRoutes(r.ByMean), ByP95: apiRoutes(r.ByP95), Release: r.Release, Previous: r.Previous}, err
}

// Stacks returns what was sampled.
func (p profileQuery) Stacks(ctx context.Context, f api.StackFilter) (api.StackView, error) {
	s, err := p.q.Stacks(ctx, profile.StackQuery(f))
	if err != nil {
		return api.StackView{}, err
	}
	view := api.StackView{Frames: s.Frames, Nodes: make([]api.StackNode, len(s.Nodes)), Routes: make([]api.SampledRoute, len(s.Routes)),
		Samples: s.Samples, Ms: s.Ms, Dropped: s.Dropped}
	for i, n := range s.Nodes {
		view.Nodes[i] = api.StackNode(n)
	}
	for i, r := range s.Routes {
		view.Routes[i] = api.SampledRoute(r)
	}
	return view, nil
}

func apiRoutes(stats []profile.RouteStats) []api.RouteProfile {
	list := make([]api.RouteProfile, len(stats))
	for i, s := range stats {
		list[i] = api.RouteProfile(s)
	}
	return list
}

// Trends returns how the routes of an app did from step to step.
func (p profileQuery) Trends(ctx context.Context, tenant, app string, window time.Duration) (api.TrendList, error) {
	trends, from, step, err := p.q.Trends(ctx, tenant, app, window)
	list := api.TrendList{From: from, Step: step.Seconds(), Routes: make([]api.RouteTrend, len(trends))}
	for i, t := range trends {
		list.Routes[i] = api.RouteTrend(t)
	}
	return list, err
}

// Slowest returns the slowest requests of the window that ends now.
func (p profileQuery) Slowest(ctx context.Context, tenant, app string, window time.Duration, limit int) ([]api.SlowRequest, error) {
	now := time.Now()
	requests, err := p.q.Slowest(ctx, tenant, app, now.Add(-window), now, limit)
	list := make([]api.SlowRequest, len(requests))
	for i, r := range requests {
		list[i] = api.SlowRequest{At: r.At, Method: r.Method, Route: r.Route, URL: r.URL, Status: r.Status, Dur: r.Dur, Req: r.Req, Release: r.Release}
	}
	return list, err
}

// deployerOf lets a reader of a command's output end it.
type deployerOf struct{ *deploy.Deployer }

// RunCommand runs a command until it ends or fn fails.
func (d deployerOf) RunCommand(ctx context.Context, tenant, app string, command []string, fn func(stream, line string) error) (int, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	exit, err := d.Deployer.RunCommand(ctx, tenant, app, command, func(stream, line string) {
		if err := fn(stream, line); err != nil {
			cancel(err)
		}
	})
	if cause := context.Cause(ctx); cause != nil {
		return exit, cause
	}
	return exit, err
}
