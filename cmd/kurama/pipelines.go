package main

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"kurama/paas"
	"kurama/paas/api"
	"kurama/paas/auth"
	"kurama/paas/store"
	"kurama/services/alert"
)

// pipelines joins what the store and the alerts know of an app's pipeline.
type pipelines struct {
	store   *store.Store
	rules   *alert.Rules
	status  platformStatus
	archive archiveQuery
}

// countedFor is how long the services count an app's records after somebody
// has looked at its pipeline.
const countedFor = time.Minute

// Pipeline returns an app's pipeline with its receivers.
func (p pipelines) Pipeline(ctx context.Context, tenant, app string) (paas.Pipeline, error) {
	found, err := p.store.Pipeline(ctx, tenant, app)
	if err != nil {
		return found, err
	}
	rules, err := p.rules.List(ctx, tenant, app)
	if err != nil {
		return found, err
	}
	receivers := make([]paas.Receiver, len(rules))
	for i, r := range rules {
		receivers[i] = paas.Receiver{When: r.Condition, To: r.Receiver, For: r.For, KeepFiring: r.KeepFiring, Repeat: r.Repeat}
	}
	found.Receivers = &receivers
	return found, nil
}

// CheckPipeline returns *paas.Invalid for a pipeline that cannot be.
func (p pipelines) CheckPipeline(next paas.Pipeline) error {
	err := next.Check(func(when string) error { _, err := alert.CompileFilter(when); return err })
	if err != nil || next.Receivers == nil {
		return err
	}
	return alert.CheckAll(rulesOf(*next.Receivers))
}

// CheckArchive returns *paas.Invalid where next would delete from the app's
// archive, if that holds anything.
func (p pipelines) CheckArchive(ctx context.Context, tenant, app string, next paas.Pipeline) error {
	if next.Archive.RetentionDays == 0 {
		return nil
	}
	list, err := p.archive.r.List(tenant, app)
	if err != nil || len(list.Files) == 0 {
		return err
	}
	limits, _, err := p.archive.r.Limits(tenant, p.archive.cfg)
	if err != nil {
		return err
	}
	now, err := p.store.Pipeline(ctx, tenant, app)
	if err != nil {
		return err
	}
	return next.CheckArchive(now, limits.Retention())
}

// declared are the pipelines that deploys set up: each is noted as a deed.
type declared struct {
	pipelines
	audit *auth.Auth
	log   *slog.Logger
}

// SetPipeline stores what an app's kurama.yaml says.
func (p declared) SetPipeline(ctx context.Context, tenant, app, by string, next paas.Pipeline) error {
	if err := p.pipelines.SetPipeline(ctx, tenant, app, by, next); err != nil {
		return err
	}
	if err := note(ctx, p.audit, tenant, app, by, "set-pipeline", "pipeline", "Set by the kurama.yaml of a deploy."); err != nil {
		p.log.Error("the audit log was not written", "action", "set-pipeline", "who", by, "err", err)
	}
	return nil
}

// SetPipeline stores a pipeline; where it names receivers, they are the app's
// alerts from then on.
func (p pipelines) SetPipeline(ctx context.Context, tenant, app, by string, next paas.Pipeline) error {
	if err := p.CheckPipeline(next); err != nil {
		return err
	}
	if next.Receivers != nil {
		if err := p.rules.Replace(ctx, tenant, app, by, rulesOf(*next.Receivers)); err != nil {
			return err
		}
	}
	return p.store.SetPipeline(ctx, tenant, app, by, next)
}

func rulesOf(receivers []paas.Receiver) []alert.Rule {
	rules := make([]alert.Rule, len(receivers))
	for i, r := range receivers {
		rules[i] = alert.Rule{Condition: r.When, Receiver: r.To, For: r.For, KeepFiring: r.KeepFiring, Repeat: r.Repeat}
	}
	return rules
}

// flowRoles are the parts of a pipeline in the order of the flow.
var flowRoles = []string{"logship", "stream", "persist", "archive", "alert", "profile", "dashboard", "autoscaler"}

// Flow asks every part, all at once, and keeps the services counting.
func (p pipelines) Flow(ctx context.Context, tenant, app string) ([]api.PipelinePart, error) {
	if err := p.store.WatchPipeline(ctx, tenant, app, countedFor); err != nil {
		return nil, err
	}
	parts := make([]api.PipelinePart, len(flowRoles))
	var all sync.WaitGroup
	for i, name := range flowRoles {
		all.Go(func() { parts[i] = p.part(ctx, name, tenant, app) })
	}
	all.Wait()
	return parts, nil
}

func (p pipelines) part(ctx context.Context, name, tenant, app string) api.PipelinePart {
	r := p.status.role(ctx, name)
	part := api.PipelinePart{Name: name, Ready: r.Ready, Lag: r.Lag, Errors: r.Errors}
	if !slices.Contains(paas.Services, paas.Service(name)) {
		return part
	}
	if page, err := p.status.Metrics(ctx, name); err == nil {
		defer func() { _ = page.Close() }()
		readCounts(page, name, tenant, app, &part)
	}
	return part
}

// readCounts takes from a service's metrics what it has counted of an app.
func readCounts(metrics io.Reader, service, tenant, app string, part *api.PipelinePart) {
	series := func(outcome string) string {
		return `kurama_` + service + `_app_total{app="` + app + `",outcome="` + outcome + `",tenant="` + tenant + `"} `
	}
	into := map[string]**float64{series("taken"): &part.Taken, series("left"): &part.Left}
	lines := bufio.NewScanner(metrics)
	for lines.Scan() {
		for prefix, to := range into {
			value, ok := strings.CutPrefix(lines.Text(), prefix)
			if n, err := strconv.ParseFloat(value, 64); ok && err == nil {
				*to = &n
			}
		}
	}
}
