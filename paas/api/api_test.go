package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/config"
	"kurama/internal/postgres"
	"kurama/internal/postgres/pgtest"
	"kurama/logship/record"
	"kurama/paas"
	"kurama/paas/api"
	"kurama/paas/auth"
	"kurama/paas/database"
	"kurama/paas/domain"
	"kurama/paas/git"
	"kurama/paas/store"
	"kurama/paas/store/storetest"
)

// world is the API over a real store and real sign-ins, with fakes for the
// parts that need an engine or the log.
type world struct {
	t        *testing.T
	srv      *httptest.Server
	cfg      config.Console
	pool     *pgxpool.Pool
	bound    *pgxpool.Pool // as the API's own queries go
	store    *store.Store
	policies *store.Policies
	auth     *auth.Auth
	fakes    *fakes
	data     string
	tokens   map[string]string // by name: operator, owner, developer, viewer (of default), stranger (owner of other)
}

const password = "correct horse battery"

func newWorld(t *testing.T, settings ...func(*config.Console)) *world {
	t.Helper()
	dsn, cfg := pgtest.DSN(t), config.Default().Console
	pool, err := postgres.Open(t.Context(), dsn, 8)
	must(t, err)
	t.Cleanup(pool.Close)
	bound, err := postgres.OpenTenants(t.Context(), dsn, 8)
	must(t, err)
	t.Cleanup(bound.Close)
	cfg.MaxUpload = 64 * config.KiB
	for _, set := range settings {
		set(&cfg)
	}
	w := &world{t: t, store: store.New(pool), policies: store.NewPolicies(pool, config.Default().Autoscaler.Default()), auth: auth.New(cfg, pool), data: t.TempDir(), tokens: map[string]string{}}
	w.pool, w.bound, w.fakes = pool, bound, &fakes{store: w.store, Trials: storetest.Trials{Store: w.store}}
	for _, tenant := range []string{"default", "other"} {
		must(t, first(w.auth.CreateTenant(t.Context(), tenant)))
		must(t, first(w.store.CreateApp(t.Context(), tenant, tenant+"-app")))
	}
	for name, role := range map[string]paas.Role{"operator": paas.RoleOperator, "owner": paas.RoleOwner,
		"developer": paas.RoleDeveloper, "viewer": paas.RoleViewer, "stranger": paas.RoleOwner} {
		tenant := "default"
		if name == "stranger" {
			tenant = "other"
		}
		_, token, err := w.auth.CreateToken(t.Context(), paas.Token{Tenant: tenant, Name: name, Role: role, CreatedBy: name})
		must(t, err)
		w.tokens[name] = token
	}
	w.cfg = cfg
	w.serve(cfg, w.listen(), nil)
	return w
}

func (w *world) listen() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(w.t, err)
	return listener
}

// provide serves the API anew with a provider of sign-ins.
func (w *world) provide(settings config.OIDC) {
	cfg, listener := w.cfg, w.listen()
	cfg.URL = "http://" + listener.Addr().String()
	w.auth = auth.New(cfg, w.pool)
	w.serve(cfg, listener, w.auth.Provider(settings, slog.New(slog.DiscardHandler)))
}

func (w *world) serve(cfg config.Console, listener net.Listener, provider api.Provider) {
	pushed := config.Default().Git
	pushed.Max = 2 * config.MiB
	pushes, err := git.New(pushed, git.Options{Releases: filepath.Join(w.data, "releases"), Temp: filepath.Join(w.data, "uploads"), Hooks: filepath.Join(w.data, "hooks"),
		SourceMax: 8 * config.MiB, Entries: 20, Log: slog.New(slog.DiscardHandler)})
	must(w.t, err)
	a, err := api.New(cfg, api.Options{
		Pushes: pushes, Listener: listener, Log: slog.New(slog.DiscardHandler), DataDir: w.data, Domain: "localhost", RouterPort: 8080,
		DashboardPort: 5005, MaxEntries: 20,
		Pages:  http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<!doctype html>console") }),
		Policy: "default-src 'self'", Sessions: w.auth, Tenants: w.auth, Users: auth.NewPeople(auth.New(cfg, w.bound), w.auth), Tokens: auth.New(cfg, w.bound),
		Invitations: w.auth, Audit: w.auth, Provider: provider, Store: store.New(w.bound), Policies: store.NewPolicies(w.bound, config.Default().Autoscaler.Default()),
		Deployer: w.fakes, Logs: w.fakes, Archive: w.fakes, Alerts: w.fakes, Outbox: w.fakes, Profile: w.fakes, Course: w.fakes, Status: w.fakes, LoadTester: w.fakes, Reports: w.fakes, Disk: w.fakes, Replayer: w.fakes, Pipelines: w.fakes,
		Cron:   w.fakes,
		Engine: w.fakes, Logged: w.fakes,
		Databases: database.New(config.Default().Databases, database.Deps{Store: w.store, Want: func() error { return &paas.Invalid{Reason: "There is no server."} }, Log: slog.New(slog.DiscardHandler)}),
		Domains:   domain.New(config.Domains{Interval: time.Minute}, "localhost", "k3f9a2b1", w.store, nil, slog.New(slog.DiscardHandler)), Bounds: config.Default().Router.Most(),
	})
	must(w.t, err)
	a.PingEvery(20 * time.Millisecond)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	w.srv = &httptest.Server{URL: "http://" + listener.Addr().String()}
	w.t.Cleanup(func() {
		stop()
		http.DefaultClient.CloseIdleConnections()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	})
}

func first[T any](_ T, err error) error { return err }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// send asks the API as the caller named; "" is nobody. A body that is a string
// or a reader goes as it is, anything else as JSON.
func (w *world) send(as, method, path string, body any, headers ...string) *http.Response {
	w.t.Helper()
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case io.Reader:
		in = b
	default:
		text, err := json.Marshal(b)
		must(w.t, err)
		in, headers = bytes.NewReader(text), append(headers, "Content-Type", "application/json")
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.srv.URL+path, in)
	must(w.t, err)
	if as != "" {
		r.Header.Set("Authorization", "Bearer "+w.tokens[as])
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	must(w.t, err)
	w.t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// want checks the status of an answer and returns its body.
func want(t *testing.T, resp *http.Response, status int) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	if resp.StatusCode != status {
		t.Fatalf("%s %s: got %d, want %d: %s", resp.Request.Method, resp.Request.URL.Path, resp.StatusCode, status, body)
	}
	if status >= 400 && strings.HasPrefix(resp.Request.URL.Path, "/api/") {
		var p api.Problem
		if err := json.Unmarshal(body, &p); err != nil || p.Status != status || !strings.HasSuffix(p.Detail, ".") ||
			resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("not a problem with a sentence: %s (%v)", body, err)
		}
	}
	return string(body)
}

func read[T any](t *testing.T, resp *http.Response, status int) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(want(t, resp, status)), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// uploads returns what lies in the folder of uploads.
func (w *world) uploads() []fs.DirEntry {
	w.t.Helper()
	entries, err := os.ReadDir(filepath.Join(w.data, "uploads"))
	must(w.t, err)
	return entries
}

// fakes stand in for the engine and the log. What they are given they keep, so
// that a test can look at it.
type fakes struct {
	storetest.Trials
	store *store.Store

	mu       sync.Mutex
	upload   paas.Upload
	finish   func(context.Context, paas.Release) error // what becomes of a release beside the caller; nil: nothing
	content  []byte
	fail     error
	deleted  []string
	filter   api.LogFilter
	keep     api.ArchiveLimits
	rollback int
	sampling paas.Sampling
	load     []api.LoadPlan
}

func (f *fakes) Deploy(ctx context.Context, tenant, app, by string, up paas.Upload) (paas.Release, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return paas.Release{}, f.fail
	}
	f.upload = up
	f.content, _ = os.ReadFile(up.Path)
	_ = os.Remove(up.Path)
	r, err := f.store.NewRelease(ctx, paas.Release{Tenant: tenant, App: app, CreatedBy: by, Commit: up.Commit})
	if err == nil && f.finish != nil {
		go func(finish func(context.Context, paas.Release) error) { _ = finish(context.WithoutCancel(ctx), r) }(f.finish)
	}
	return r, err
}

func (f *fakes) Pipeline(ctx context.Context, tenant, app string) (paas.Pipeline, error) {
	return f.store.Pipeline(ctx, tenant, app)
}

func (f *fakes) CheckPipeline(p paas.Pipeline) error {
	return p.Check(func(string) error { return nil })
}

func (f *fakes) CheckArchive(ctx context.Context, tenant, app string, p paas.Pipeline) error {
	now, err := f.store.Pipeline(ctx, tenant, app)
	if err != nil {
		return err
	}
	return p.CheckArchive(now, 90*24*time.Hour)
}

func (f *fakes) SetPipeline(ctx context.Context, tenant, app, by string, p paas.Pipeline) error {
	return f.store.SetPipeline(ctx, tenant, app, by, p)
}

func (f *fakes) Flow(ctx context.Context, tenant, app string) ([]api.PipelinePart, error) {
	return nil, f.store.WatchPipeline(ctx, tenant, app, time.Minute)
}

func (f *fakes) Replay(_ context.Context, q api.WhatIfQuestion) (api.WhatIf, error) {
	w := api.WhatIf{Objective: q.Objective, Says: q.Length.String()}
	for _, p := range q.Policies {
		w.Results = append(w.Results, api.WhatIfResult{Policy: p, Course: []api.WhatIfPoint{}})
	}
	return w, nil
}

func (f *fakes) Begin(ctx context.Context, p api.LoadPlan) (paas.LoadTest, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.load) > 0 {
		return paas.LoadTest{}, fmt.Errorf("simulated requests are under way: %w", paas.ErrConflict)
	}
	t := paas.LoadTest{By: p.By, State: paas.LoadTestRunning, Scenario: p.Scenario}
	id, err := f.store.AddLoadTest(ctx, p.Tenant, p.App, t)
	f.load = append(f.load, p)
	t.ID = id
	return t, err
}

func (f *fakes) Live(id int64) (paas.LoadTest, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return paas.LoadTest{ID: id, State: paas.LoadTestRunning, Answered: 7, Series: json.RawMessage("[]")}, len(f.load) > 0
}

func (f *fakes) Stop(int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	under := len(f.load) > 0
	f.load = nil
	return under
}

func (f *fakes) Write(report json.RawMessage, format string) ([]byte, error) {
	return []byte(format + " of " + string(report)), nil
}

func (f *fakes) Rollback(ctx context.Context, tenant, app string, n int, by string) (paas.Release, error) {
	f.rollback = n
	if _, err := f.store.Release(ctx, tenant, app, max(n, 1)); err != nil {
		return paas.Release{}, err
	}
	return f.store.NewRelease(ctx, paas.Release{Tenant: tenant, App: app, CreatedBy: by, RollbackOf: n})
}

func (f *fakes) Redeploy(ctx context.Context, tenant, app, by string) (paas.Release, error) {
	return f.store.NewRelease(ctx, paas.Release{Tenant: tenant, App: app, CreatedBy: by})
}

func (f *fakes) Replicas(tenant, app string) []paas.Replica {
	return []paas.Replica{{ID: app + "-1-abcdef", Tenant: tenant, App: app, Release: 1, State: paas.ReplicaHealthy},
		{ID: app + "-1-ghijkl", Tenant: tenant, App: app, Release: 1, State: paas.ReplicaStarting}}
}

func (f *fakes) Delete(ctx context.Context, tenant, app string) error {
	f.deleted = append(f.deleted, tenant+"/"+app)
	return f.store.DeleteApp(ctx, tenant, app)
}

func (f *fakes) RunCommand(_ context.Context, _, _ string, command []string, fn func(stream, line string) error) (int, error) {
	if f.fail != nil {
		return 0, f.fail
	}
	return 3, fn("stdout", strings.Join(command, " "))
}

// Volumes is what the store has.
func (f *fakes) Volumes(ctx context.Context, tenant, app string) ([]paas.Volume, error) {
	if _, err := f.store.App(ctx, tenant, app); err != nil {
		return nil, err
	}
	return f.store.Volumes(ctx, tenant, app)
}

// AddVolume stores a volume.
func (f *fakes) AddVolume(ctx context.Context, tenant, app string, v paas.Volume) error {
	return f.store.AddVolume(ctx, tenant, app, v, 1<<30)
}

// RemoveVolume forgets one.
func (f *fakes) RemoveVolume(ctx context.Context, tenant, app, path string) error {
	return f.store.RemoveVolume(ctx, tenant, app, path)
}

// Runtimes allows runsc.
func (f *fakes) Runtimes(ctx context.Context, tenant, app string) (paas.Runtimes, error) {
	a, err := f.store.App(ctx, tenant, app)
	return paas.Runtimes{Runtime: a.Runtime, Default: "runc", Choices: []paas.RuntimeChoice{{Name: "runsc", Installed: true}}}, err
}

// SetRuntime stores it.
func (f *fakes) SetRuntime(ctx context.Context, tenant, app, runtime string) error {
	return f.store.SetRuntime(ctx, tenant, app, runtime)
}

// Refresh has nothing to put in force.
func (f *fakes) Refresh(context.Context) error { return f.fail }

// Logged is nearly at its bound.
func (f *fakes) Logged(string) (bytes, dropped int64, err error) { return 1 << 20, 3, nil }

// LookUps knows one name.
func (f *fakes) LookUps(string) []paas.Lookup {
	return []paas.Lookup{{Name: "api.example.org", Addresses: []string{"203.0.113.7"}}}
}

// Egress is the default.
func (f *fakes) Egress() string { return paas.EgressOpen }

func (f *fakes) Isolation(_ context.Context, _, app string) (paas.Isolation, error) {
	return paas.Isolation{Replica: app + "-1-abcdef", OK: true, Checks: []paas.IsolationCheck{{Name: "user", OK: true, Says: "Fine.", Where: "replica"}}}, f.fail
}

func logRecord(n int) record.Record {
	return record.Record{Time: time.Unix(1763632800+int64(n), 0), ID: record.NewID(time.Unix(1763632800, 0)), Kind: record.KindLog,
		Level: record.LevelInfo, Tenant: "default", App: "default-app", Msg: fmt.Sprintf("line %d", n)}
}

func (f *fakes) Logs(_ context.Context, filter api.LogFilter) ([]record.Record, string, error) {
	f.filter = filter
	return []record.Record{logRecord(2), logRecord(1)}, "older", nil
}

func (f *fakes) Follow(ctx context.Context, _ api.LogFilter, fn func(*record.Record) error) error {
	for n := range 2 {
		r := logRecord(n)
		if err := fn(&r); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

func (f *fakes) List(context.Context, string, string) (api.ArchiveList, error) {
	return api.ArchiveList{}, nil
}

func (f *fakes) Open(_ context.Context, r api.ArchiveRange) (api.ArchiveContent, bool, error) {
	if r.Tag != "" && r.Tag != `"now"` {
		return nil, true, nil
	}
	return textContent{f, fmt.Sprintf("records of %s as %s\n", r.App, r.Format)}, false, nil
}

type textContent struct {
	f    *fakes
	text string
}

func (c textContent) Tag() string                         { return `"now"` }
func (c textContent) Quick() bool                         { return true }
func (c textContent) Size(context.Context) (int64, error) { return int64(len(c.text)), nil }
func (c textContent) Close()                              {}

func (c textContent) Write(_ context.Context, w io.Writer, offset, length int64) error {
	if c.f.fail != nil {
		return c.f.fail
	}
	rest := c.text[offset:]
	if length >= 0 {
		rest = rest[:length]
	}
	_, err := io.WriteString(w, rest)
	return err
}

func (f *fakes) Verify(_ context.Context, _, _ string, fn func(api.ArchiveCheck) error) error {
	return fn(api.ArchiveCheck{ArchiveFile: api.ArchiveFile{Name: "a", Records: 3, Bytes: 9}, OK: true})
}

func (f *fakes) State(context.Context, string) (api.ArchiveState, error) {
	return api.ArchiveState{Limits: f.keep}, nil
}

func (f *fakes) SetLimits(_ context.Context, _ string, keep *api.ArchiveLimits) error {
	if keep == nil {
		keep = &api.ArchiveLimits{Retention: 1}
	}
	f.keep = *keep
	return nil
}

func (f *fakes) PreviewRule(_ context.Context, _, _, condition string, _ float64) (api.RulePreview, error) {
	if condition != "cpu > 90" {
		return api.RulePreview{}, &paas.Invalid{Reason: "there is no figure called `cpuu`", Text: condition, At: 1}
	}
	return api.RulePreview{Subject: "cpu"}, nil
}

func (f *fakes) Rules(context.Context, string, string) ([]api.Rule, error) { return nil, nil }

func (f *fakes) AddRule(_ context.Context, _, _, _ string, r api.NewRule) (api.Rule, error) {
	if r.Condition != "cpu > 90" {
		return api.Rule{}, &paas.Invalid{Reason: "the condition cannot be read"}
	}
	return api.Rule{ID: "r1", Condition: r.Condition, For: r.For, Receiver: r.Receiver, State: "ok"}, nil
}

func (f *fakes) Silences(context.Context, string, string) ([]api.Silence, error) {
	return []api.Silence{{ID: "s1"}}, nil
}

func (f *fakes) AddSilence(_ context.Context, _, _, by string, s api.NewSilence) (api.Silence, error) {
	return api.Silence{ID: "s1", Alert: s.Alert, EndsAt: s.EndsAt, Comment: s.Comment, CreatedBy: by}, nil
}

func (f *fakes) EndSilence(context.Context, string, string, string) error { return nil }

func (f *fakes) DeleteRule(_ context.Context, _, _, id string) error {
	return fmt.Errorf("alert %s: %w", id, paas.ErrNotFound)
}

func (f *fakes) TestRule(context.Context, string, string, string) error { return nil }

func (f *fakes) Notifications(context.Context, string, string, int) ([]api.Notification, error) {
	return nil, nil
}

func (f *fakes) Mail(_ context.Context, tenant, id string) ([]byte, error) {
	if tenant != "default" || id != "m1" {
		return nil, fmt.Errorf("message %s: %w", id, paas.ErrNotFound)
	}
	return []byte("Subject: hello\r\n\r\n"), nil
}

func (f *fakes) Slowest(context.Context, string, string, time.Duration, int) ([]api.SlowRequest, error) {
	return []api.SlowRequest{{Route: "/slow", Dur: 1234}}, nil
}

func (f *fakes) Sample(_ context.Context, _, _ string, s paas.Sampling) (int, error) {
	f.sampling = s
	return 2, f.fail
}

func (f *fakes) Stacks(_ context.Context, of api.StackFilter) (api.StackView, error) {
	return api.StackView{Frames: []string{"view (app.py:7)"}, Nodes: []api.StackNode{{Parent: -1, Samples: 3, Ms: 60}},
		Routes: []api.SampledRoute{{Method: "GET", Route: of.Route, Samples: 3, Ms: 60}}, Samples: 3, Ms: 60}, f.fail
}

func (f *fakes) Profile(_ context.Context, _, _ string, window time.Duration) (api.ProfileView, error) {
	return api.ProfileView{From: time.Unix(0, 0), To: time.Unix(0, 0).Add(window)}, nil
}

func (f *fakes) Course(_ context.Context, _, _ string, _, _ time.Time, _ time.Duration) (api.Course, error) {
	return api.Course{}, nil
}

func (f *fakes) Status(context.Context) (api.PlatformStatus, error) { return api.PlatformStatus{}, nil }

func (f *fakes) Cancel(ctx context.Context, tenant, app string, number int, by string) (paas.Release, error) {
	r, err := f.store.Release(ctx, tenant, app, number)
	r.State, r.Reason = paas.ReleaseFailed, "Cancelled by "+by+"."
	return r, err
}

func (f *fakes) Start(_ context.Context, rel paas.Release, job, by string) (paas.CronRun, error) {
	for _, j := range rel.Start.Cron {
		if j.Name == job {
			return paas.CronRun{Job: job, Release: rel.Number, By: by, Outcome: paas.CronRunning}, nil
		}
	}
	return paas.CronRun{}, fmt.Errorf("job %s of app %s: %w", job, rel.App, paas.ErrNotFound)
}

// Attach writes the size of the terminal, and then its input until its end or
// that of ctx.
func (f *fakes) Attach(ctx context.Context, _, _ string, command []string, s paas.Streams) (int, error) {
	if s.Terminal {
		size := <-s.Sizes
		fmt.Fprintf(s.Out, "%s on %s %d×%d\n", strings.Join(command, "|"), s.Term, size.Rows, size.Cols)
	}
	defer context.AfterFunc(ctx, func() { _ = s.In.(io.Closer).Close() })()
	_, err := io.Copy(s.Out, s.In)
	_, _ = io.WriteString(s.Err, "done")
	return 3, errors.Join(err, ctx.Err())
}

func (f *fakes) Changes(ctx context.Context, tenant, app string, number, against int) (paas.ReleaseChanges, error) {
	_, err := f.store.Release(ctx, tenant, app, number)
	return paas.ReleaseChanges{Release: number, Against: max(against, 1), Layer: true, Settings: &paas.SettingsChanges{Changed: []string{"KEY"}},
		Files: &paas.FileChanges{Changed: 1, Files: []paas.FileChange{{Path: "app.py", What: "changed"}}}}, err
}

// Trends knows of no route.
func (f *fakes) Trends(context.Context, string, string, time.Duration) (api.TrendList, error) {
	return api.TrendList{}, nil
}

// Capacity knows of no host.
func (f *fakes) Capacity(context.Context) (api.PlatformCapacity, error) {
	return api.PlatformCapacity{}, nil
}

func (*fakes) ReleaseReceivers(context.Context, string, string) ([]string, error) {
	return []string{"https://example.org/hook"}, nil
}

func (*fakes) SetReleaseReceivers(context.Context, string, string, string, []string) error {
	return nil
}
