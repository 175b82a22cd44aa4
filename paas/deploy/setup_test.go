package deploy_test

import (
	"archive/zip"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/internal/postgres/pgtest"
	"kurama/logship/record"
	"kurama/paas"
	"kurama/paas/deploy"
)

// tables is a router without traffic: it keeps the last table.
type tables struct {
	mu   sync.Mutex
	last paas.Table
}

func (t *tables) Apply(_ context.Context, table paas.Table) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if table.Version <= t.last.Version {
		return fmt.Errorf("version %d: %w", table.Version, paas.ErrConflict)
	}
	t.last = table
	return nil
}

func (t *tables) InFlight(context.Context) (map[string]int, error) { return map[string]int{}, nil }

func (t *tables) Heard(context.Context) (map[string]int64, error) { return map[string]int64{}, nil }

func (t *tables) targets(app string) []paas.Target {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.last.Routes {
		if r.App == app {
			return r.Targets
		}
	}
	return nil
}

// events keeps what was told.
type events struct {
	mu   sync.Mutex
	told []string
}

func (e *events) Send(r *record.Record) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.told = append(e.told, string(r.Extra)+" "+r.Msg)
	return true
}

func (e *events) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.told = nil
}

// all returns what was told so far of one event.
func (e *events) all(event string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var found []string
	for _, t := range e.told {
		if text, ok := strings.CutPrefix(t, `{"event":"`+event+`"} `); ok {
			found = append(found, text)
		}
	}
	return found
}

func (e *events) has(event string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, t := range e.told {
		if strings.HasPrefix(t, `{"event":"`+event+`"}`) {
			return t
		}
	}
	return ""
}

// platform is a deployer with a real store, builder and engine.
type platform struct {
	t *testing.T
	world
	*parts
	router  *tables
	events  *events
	door    deploy.Router // nil: router
	figures *figures      // nil: nothing is known of any release
	deeds   *deeds        // nil: nothing is noted or told
	*deploy.Deployer
}

// newPlatform makes one that no other test shares; they mostly wait, so they
// run side by side.
func newPlatform(t *testing.T, change func(*config.Config)) *platform {
	t.Helper()
	t.Parallel()
	dsn := pgtest.DSN(t)
	cfg := config.Default()
	cfg.App.RestartMin, cfg.App.RestartMax = 100*time.Millisecond, 400*time.Millisecond
	cfg.App.StopTimeout = 3 * time.Second
	cfg.App.LookInterval = time.Hour // tests look by themselves
	cfg.Docker.NetworkPool = "10.214.0.0/16"
	if change != nil {
		change(&cfg)
	}
	p := &platform{t: t, world: world{DSN: dsn, Data: t.TempDir(), Instance: strings.ToLower(rand.Text()[:8]), Config: cfg}, router: &tables{}, events: &events{}}
	parts, err := p.world.open(t.Context(), slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	p.parts = parts
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := p.engine.Teardown(ctx); err != nil {
			t.Errorf("teardown: %v", err)
		}
		parts.close()
	})
	if _, err := p.pool.Exec(t.Context(), `INSERT INTO tenants (name) VALUES ($1) ON CONFLICT DO NOTHING`, paas.DefaultTenant); err != nil {
		t.Fatal(err)
	}
	if _, err := p.build.Base(t.Context(), func(l string) { t.Log(l) }); err != nil {
		t.Fatal(err)
	}
	return p
}

// run starts a deployer, as a process of Kurama does, and returns how to end it
// as kill -9 would, with the replicas left alone.
func (p *platform) run() (kill func()) {
	p.t.Helper()
	log := slog.New(slog.NewTextHandler(p.t.Output(), nil))
	var control deploy.Router = p.router
	if p.door != nil {
		control = p.door
	}
	deps := deploy.Deps{Store: p.store, Decided: p.policies, Builder: p.build, Engine: p.engine, Router: control, Events: p.events, Disk: roomy{}, Databases: p.databases, Log: log}
	if p.figures != nil {
		deps.Figures = p.figures
	}
	if p.deeds != nil {
		deps.Deeds, deps.Herald = p.deeds, p.deeds
	}
	p.Deployer = deploy.New(deploy.Options{App: p.Config.App, Domain: "localhost", RouterPort: 8080}, deps)
	d := p.Deployer
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	kill = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			p.t.Errorf("Run: %v", err)
		}
		if err := d.Stop(context.Background(), true); err != nil {
			p.t.Errorf("Stop: %v", err)
		}
	})
	p.t.Cleanup(kill)
	return kill
}

func (p *platform) log() *slog.Logger { return slog.New(slog.NewTextHandler(p.t.Output(), nil)) }

// upload zips files given by name, or those of a folder of examples.
func (p *platform) upload(files map[string]string) paas.Upload {
	p.t.Helper()
	f, err := os.CreateTemp(p.Data, "up-*.zip")
	if err != nil {
		p.t.Fatal(err)
	}
	w := zip.NewWriter(f)
	for name, text := range files {
		entry, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(entry, text)
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		p.t.Fatal(err)
	}
	f.Close()
	return paas.Upload{Path: f.Name(), Type: paas.UploadZip, Name: "app.zip"}
}

func (p *platform) example(name string) paas.Upload {
	p.t.Helper()
	files := map[string]string{}
	root := os.DirFS(filepath.Join("..", "..", "examples", name))
	matches, err := filepath.Glob(filepath.Join("..", "..", "examples", name, "*"))
	if err != nil || len(matches) == 0 {
		p.t.Fatalf("no example %s: %v", name, err)
	}
	for _, pattern := range []string{"*.py", "*.txt", "*.yaml", "*/*.py"} {
		found, _ := filepath.Glob(filepath.Join("..", "..", "examples", name, pattern))
		for _, path := range found {
			rel, _ := filepath.Rel(filepath.Join("..", "..", "examples", name), path)
			data, err := io.ReadAll(must(root.Open(rel)))
			if err != nil {
				p.t.Fatal(err)
			}
			files[rel] = string(data)
		}
	}
	return p.upload(files)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// deploy uploads and waits for the end; it returns the release as it ended.
func (p *platform) deploy(app string, up paas.Upload) paas.Release {
	p.t.Helper()
	rel, err := p.Deploy(p.t.Context(), paas.DefaultTenant, app, "tester", up)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.ended(rel)
}

func (p *platform) ended(rel paas.Release) paas.Release {
	p.t.Helper()
	p.until(90*time.Second, "the release ends", func() bool {
		var err error
		if rel, err = p.store.Release(p.t.Context(), rel.Tenant, rel.App, rel.Number); err != nil {
			p.t.Fatal(err)
		}
		return rel.State == paas.ReleaseLive || rel.State == paas.ReleaseFailed
	})
	lines, err := p.store.BuildLog(p.t.Context(), rel.Tenant, rel.App, rel.Number, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, l := range lines {
		p.t.Logf("%s-%d %s: %s", rel.App, rel.Number, l.Step, l.Line)
	}
	return rel
}

func (p *platform) live(app string, up paas.Upload) paas.Release {
	p.t.Helper()
	rel := p.deploy(app, up)
	if rel.State != paas.ReleaseLive {
		p.t.Fatalf("release %d of %s is %s: %s", rel.Number, app, rel.State, rel.Reason)
	}
	return rel
}

func (p *platform) app(name string) paas.App {
	p.t.Helper()
	a, err := p.store.App(p.t.Context(), paas.DefaultTenant, name)
	if err != nil {
		p.t.Fatal(err)
	}
	return a
}

func (p *platform) until(limit time.Duration, what string, ok func() bool) {
	p.t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("within %s not so: %s", limit, what)
		}
	}
}

func (p *platform) get(app, path string) (int, string) {
	p.t.Helper()
	targets := p.router.targets(app)
	if len(targets) == 0 {
		return 0, "no target"
	}
	resp, err := http.Get("http://" + targets[0].Address + path)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

// gone waits until nothing of an app is left on the engine.
func (p *platform) gone(app string) {
	p.t.Helper()
	p.until(10*time.Second, "no container of "+app+" is left", func() bool { return len(p.containers(app))+len(p.spares(app)) == 0 })
}

// containers returns an app's replicas on the engine; those that stand by are
// none yet.
func (p *platform) containers(app string) []paas.Container { return p.listed(app, false) }

// spares returns the replicas that stand by for an app's next release.
func (p *platform) spares(app string) []paas.Container { return p.listed(app, true) }

func (p *platform) listed(app string, standby bool) []paas.Container {
	p.t.Helper()
	all, err := p.engine.List(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(c paas.Container) bool { return c.App != app || c.Standby != standby })
}

// roomy is a disk that has room.
type roomy struct{}

func (roomy) Room() error { return nil }
