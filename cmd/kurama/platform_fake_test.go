package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"kurama/logship/record"
	"kurama/paas"
	"kurama/paas/api"
	"kurama/paas/store"
	"kurama/paas/store/storetest"
)

// platformFake deploys by writing the build log that a deploy writes.
type platformFake struct {
	storetest.Trials
	store  *store.Store
	mu     sync.Mutex
	begun  []int64 // where downloads began
	breaks int     // so many of the next downloads break off
}

// begins notes where a download begins, and tells whether it is to break off.
func (p *platformFake) begins(offset int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun = append(p.begun, offset)
	p.breaks--
	return p.breaks >= 0
}

func (p *platformFake) release(ctx context.Context, r paas.Release, bad bool) (paas.Release, error) {
	r, err := p.store.NewRelease(ctx, r)
	if err != nil {
		return r, err
	}
	for _, l := range [][2]string{{"unpack", "1 file"}, {"detect", "app.py holds app"}, {"dependencies", "pip: looking"}, {"dependencies", "none to install"}} {
		if err := p.store.AppendBuildLog(ctx, r.Tenant, r.App, r.Number, l[0], l[1]); err != nil {
			return r, err
		}
	}
	if bad {
		failed := r
		failed.State, failed.Reason = paas.ReleaseFailed, "no version fits"
		return r, p.store.UpdateRelease(ctx, failed)
	}
	return r, p.store.SetLive(ctx, r.Tenant, r.App, r.Number)
}

func (p *platformFake) Deploy(ctx context.Context, tenant, app, by string, up paas.Upload) (paas.Release, error) {
	text, err := os.ReadFile(up.Path)
	if err != nil {
		return paas.Release{}, err
	}
	if up.Canary > 0 {
		r, err := p.store.NewRelease(ctx, paas.Release{Tenant: tenant, App: app, CreatedBy: by, Share: up.Canary})
		if err == nil {
			err = p.ShareCanary(ctx, tenant, app, up.Canary)
		}
		return r, errors.Join(err, p.store.AppendBuildLog(ctx, tenant, app, r.Number, "done", "It gets a share."))
	}
	return p.release(ctx, paas.Release{Tenant: tenant, App: app, CreatedBy: by}, bytes.Contains(text, []byte("BAD")))
}

func (p *platformFake) Rollback(ctx context.Context, tenant, app string, n int, by string) (paas.Release, error) {
	n = max(n, 1)
	if _, err := p.store.Release(ctx, tenant, app, n); err != nil {
		return paas.Release{}, err
	}
	return p.release(ctx, paas.Release{Tenant: tenant, App: app, CreatedBy: by, RollbackOf: n}, false)
}

func (p *platformFake) Redeploy(ctx context.Context, tenant, app, by string) (paas.Release, error) {
	return p.release(ctx, paas.Release{Tenant: tenant, App: app, CreatedBy: by}, false)
}

func (p *platformFake) Replicas(string, string) []paas.Replica { return nil }

func (p *platformFake) Delete(ctx context.Context, tenant, app string) error {
	return p.store.DeleteApp(ctx, tenant, app)
}

func (p *platformFake) RunCommand(_ context.Context, _, _ string, command []string, fn func(stream, line string) error) (int, error) {
	return 3, errors.Join(fn("stdout", strings.Join(command, " ")), fn("stderr", "warned"))
}

// Attach passes the input on as its output, and the command after it.
func (p *platformFake) Attach(_ context.Context, _, _ string, command []string, s paas.Streams) (int, error) {
	_, err := io.Copy(s.Out, s.In)
	_, saying := io.WriteString(s.Out, strings.Join(command, " ")+"\n")
	_, warning := io.WriteString(s.Err, "warned\n")
	return 3, errors.Join(err, saying, warning)
}

func (p *platformFake) Cancel(ctx context.Context, tenant, app string, number int, by string) (paas.Release, error) {
	r, err := p.store.Release(ctx, tenant, app, number)
	r.State, r.Reason = paas.ReleaseFailed, "Cancelled by "+by+"."
	return r, err
}

// line is the nth record of the log; its id is its number.
func line(n int) record.Record {
	return record.Record{Time: time.Unix(1763632800+int64(n), 0).UTC(), ID: record.ID{15: byte(n)}, Kind: record.KindLog, Level: record.LevelInfo,
		Tenant: "default", App: "hello", Replica: "hello-1-abcdef", Msg: fmt.Sprintf("line %d", n)}
}

// Volumes is what the store has.
func (p *platformFake) Volumes(ctx context.Context, tenant, app string) ([]paas.Volume, error) {
	if _, err := p.store.App(ctx, tenant, app); err != nil {
		return nil, err
	}
	return p.store.Volumes(ctx, tenant, app)
}

// AddVolume stores a volume.
func (p *platformFake) AddVolume(ctx context.Context, tenant, app string, v paas.Volume) error {
	return p.store.AddVolume(ctx, tenant, app, v, 1<<30)
}

// RemoveVolume forgets one.
func (p *platformFake) RemoveVolume(ctx context.Context, tenant, app, path string) error {
	return p.store.RemoveVolume(ctx, tenant, app, path)
}

// Runtimes allows runsc.
func (p *platformFake) Runtimes(ctx context.Context, tenant, app string) (paas.Runtimes, error) {
	a, err := p.store.App(ctx, tenant, app)
	return paas.Runtimes{Runtime: a.Runtime, Default: "runc", Choices: []paas.RuntimeChoice{{Name: "runsc", Installed: true}}}, err
}

// SetRuntime stores it.
func (p *platformFake) SetRuntime(ctx context.Context, tenant, app, runtime string) error {
	return p.store.SetRuntime(ctx, tenant, app, runtime)
}

// Refresh has nothing to put in force.
func (p *platformFake) Refresh(context.Context) error { return nil }

// Logged is nearly at its bound.
func (p *platformFake) Logged(string) (bytes, dropped int64, err error) { return 1 << 20, 3, nil }

// LookUps knows one name.
func (p *platformFake) LookUps(string) []paas.Lookup {
	return []paas.Lookup{{Name: "api.example.org", Addresses: []string{"203.0.113.7"}}}
}

// Egress is the default.
func (p *platformFake) Egress() string { return paas.EgressOpen }

// Isolation finds one wall down in apps called "open".
func (p *platformFake) Isolation(_ context.Context, _, app string) (paas.Isolation, error) {
	ok := app != "open"
	return paas.Isolation{Replica: app + "-1-abcdef", OK: ok, Checks: []paas.IsolationCheck{
		{Name: "user", OK: true, Says: "The code runs as user 20001.", Where: "replica"}, {Name: "host", OK: ok, Says: "The host.", Where: "replica"}}}, nil
}

func (p *platformFake) Logs(_ context.Context, f api.LogFilter) ([]record.Record, string, error) {
	var records []record.Record
	for n := 9; n >= 0 && len(records) < f.Limit; n-- {
		records = append(records, line(n))
	}
	return records, "", nil
}

// Follow sends one record that the history has too, and one that it has not.
func (p *platformFake) Follow(_ context.Context, _ api.LogFilter, fn func(*record.Record) error) error {
	known, fresh := line(9), line(10)
	return errors.Join(fn(&known), fn(&fresh))
}

func (p *platformFake) List(context.Context, string, string) (api.ArchiveList, error) {
	return api.ArchiveList{}, nil
}

// Open returns a text.
func (p *platformFake) Open(_ context.Context, r api.ArchiveRange) (api.ArchiveContent, bool, error) {
	if r.Tag != "" && r.Tag != (&contentFake{}).Tag() {
		return nil, true, errors.New("changed")
	}
	return &contentFake{p: p, text: strings.Repeat("{}\n", 20), bad: r.Format == "json"}, false, nil
}

type contentFake struct {
	p    *platformFake
	text string
	bad  bool
}

func (c *contentFake) Tag() string                         { return `"k1.0.7.0.1"` }
func (c *contentFake) Quick() bool                         { return true }
func (c *contentFake) Size(context.Context) (int64, error) { return int64(len(c.text)), nil }
func (c *contentFake) Close()                              {}

func (c *contentFake) Write(_ context.Context, w io.Writer, offset, length int64) error {
	rest := c.text[offset:]
	if length >= 0 {
		rest = rest[:length]
	}
	if c.p.begins(offset) || c.bad {
		_, _ = io.WriteString(w, rest[:min(20, len(rest)/2)])
		return errors.New("the disk has a bad block")
	}
	_, err := io.WriteString(w, rest)
	return err
}

func (p *platformFake) Verify(_ context.Context, _, _ string, fn func(api.ArchiveCheck) error) error {
	return errors.Join(fn(api.ArchiveCheck{ArchiveFile: api.ArchiveFile{Name: "a", Records: 3}, OK: true}),
		fn(api.ArchiveCheck{ArchiveFile: api.ArchiveFile{Name: "b"}, Says: "4 bytes are missing"}))
}

func (p *platformFake) State(context.Context, string) (api.ArchiveState, error) {
	return api.ArchiveState{}, nil
}

func (p *platformFake) SetLimits(context.Context, string, *api.ArchiveLimits) error { return nil }

func (p *platformFake) Rules(context.Context, string, string) ([]api.Rule, error) {
	return []api.Rule{{ID: "r1", Condition: "cpu > 90", Receiver: "ann@example.org", State: "ok"}}, nil
}

func (p *platformFake) AddRule(_ context.Context, _, _, _ string, r api.NewRule) (api.Rule, error) {
	return api.Rule{ID: "r1", Condition: r.Condition, For: r.For, Receiver: r.Receiver}, nil
}

func (p *platformFake) PreviewRule(_ context.Context, _, _, condition string, _ float64) (api.RulePreview, error) {
	if condition != "cpu > 90" {
		return api.RulePreview{}, &paas.Invalid{Reason: "There is no figure called `cpuu` (character 7).", Text: condition, At: 7}
	}
	v, limit := 95.0, 90.0
	return api.RulePreview{Condition: "cpu > 90 %", Subject: "cpu", Unit: "%", Limit: &limit, Points: []api.PreviewPoint{{Value: &v, Holds: true}, {}}, Fired: 1, Held: 10, Now: "cpu 95 %"}, nil
}

func (p *platformFake) Silences(context.Context, string, string) ([]api.Silence, error) {
	return []api.Silence{{ID: "s1"}}, nil
}

func (p *platformFake) AddSilence(_ context.Context, _, _, by string, s api.NewSilence) (api.Silence, error) {
	return api.Silence{ID: "s1", Alert: s.Alert, EndsAt: s.EndsAt, Comment: s.Comment, CreatedBy: by}, nil
}

func (p *platformFake) EndSilence(context.Context, string, string, string) error { return nil }

func (p *platformFake) DeleteRule(context.Context, string, string, string) error { return nil }
func (p *platformFake) TestRule(context.Context, string, string, string) error   { return nil }

func (p *platformFake) Notifications(context.Context, string, string, int) ([]api.Notification, error) {
	return nil, nil
}

func (p *platformFake) Mail(context.Context, string, string) ([]byte, error) {
	return nil, paas.ErrNotFound
}

func (p *platformFake) Slowest(context.Context, string, string, time.Duration, int) ([]api.SlowRequest, error) {
	return []api.SlowRequest{{Method: "GET", Route: "/user/<id>", URL: "/user/7", Status: 200, Dur: 1234, Req: "r1"}}, nil
}

func (p *platformFake) Profile(context.Context, string, string, time.Duration) (api.ProfileView, error) {
	p50 := 3.1
	return api.ProfileView{Routes: []api.RouteProfile{{Method: "GET", Route: "/user/<id>", Requests: 7, P50: &p50}}}, nil
}

func (p *platformFake) Status(context.Context) (api.PlatformStatus, error) {
	return api.PlatformStatus{}, nil
}

// Begin sends nothing.
func (p *platformFake) Begin(context.Context, api.LoadPlan) (paas.LoadTest, error) {
	return paas.LoadTest{}, nil
}

// Live knows none.
func (p *platformFake) Live(int64) (paas.LoadTest, bool) { return paas.LoadTest{}, false }

// Stop finds none.
func (p *platformFake) Stop(int64) bool { return false }

// Replay knows no past.
func (p *platformFake) Replay(context.Context, api.WhatIfQuestion) (api.WhatIf, error) {
	return api.WhatIf{}, &paas.Invalid{Reason: "hello was asked for nothing"}
}

// Course knows no past.
func (p *platformFake) Course(context.Context, string, string, time.Time, time.Time, time.Duration) (api.Course, error) {
	return api.Course{}, nil
}

// Report gives the default tenant 1 MiB of releases.
func (p *platformFake) Collect(context.Context) (int64, error) { return 1 << 20, nil }

func (p *platformFake) Report(context.Context) (paas.DiskReport, error) {
	return paas.DiskReport{Tenants: []paas.DiskUse{{Tenant: "default", Releases: 1 << 20, Total: 1 << 20}}, Shared: map[string]int64{"layers": 2 << 20}, Free: 1 << 30, Size: 2 << 30}, nil
}

// Metrics gives the role persist one figure.
func (p *platformFake) Metrics(_ context.Context, role string) (io.ReadCloser, error) {
	if role != "persist" {
		return nil, fmt.Errorf("role %s: %w", role, paas.ErrNotFound)
	}
	return io.NopCloser(strings.NewReader("kurama_persist_lag 0\n")), nil
}

// Start runs a job that fails with code 3 at once.
func (p *platformFake) Start(ctx context.Context, rel paas.Release, job, by string) (paas.CronRun, error) {
	now, code := time.Now(), 3
	r := paas.CronRun{Tenant: rel.Tenant, App: rel.App, Job: job, Release: rel.Number, DueAt: now, StartedAt: &now, EndedAt: &now, By: by,
		Outcome: paas.CronFailed, Exit: &code, Said: "no such mail"}
	id, err := p.store.AddCronRun(ctx, r, 10)
	r.ID, r.Outcome = id, paas.CronRunning
	return r, err
}

func (p *platformFake) Changes(ctx context.Context, tenant, app string, number, against int) (paas.ReleaseChanges, error) {
	_, err := p.store.Release(ctx, tenant, app, number)
	return paas.ReleaseChanges{Release: number, Against: max(against, 1), Layer: true, Settings: &paas.SettingsChanges{Changed: []string{"KEY"}},
		Files: &paas.FileChanges{Changed: 1, Files: []paas.FileChange{{Path: "app.py", What: "changed"}}}}, err
}

// Trends knows of no route.
func (p *platformFake) Trends(context.Context, string, string, time.Duration) (api.TrendList, error) {
	return api.TrendList{}, nil
}

// Capacity knows of no host.
func (p *platformFake) Capacity(context.Context) (api.PlatformCapacity, error) {
	return api.PlatformCapacity{}, nil
}

func (*platformFake) ReleaseReceivers(context.Context, string, string) ([]string, error) {
	return []string{"https://example.org/hook"}, nil
}

func (*platformFake) SetReleaseReceivers(context.Context, string, string, string, []string) error {
	return nil
}

func (*platformFake) Sample(context.Context, string, string, paas.Sampling) (int, error) {
	return 2, nil
}

func (*platformFake) Stacks(context.Context, api.StackFilter) (api.StackView, error) {
	return api.StackView{Frames: []string{"view (app.py:7)", "query; (app.py:9)"}, Nodes: []api.StackNode{{Parent: -1}, {Parent: 0, Frame: 1, Samples: 3, Ms: 60}, {Parent: 1, Frame: 1, Samples: 1, Ms: 20}},
		Samples: 4, Ms: 80}, nil
}
