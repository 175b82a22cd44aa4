package main

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/postgres"
	"kurama/internal/role"
	"kurama/paas/api"
	"kurama/paas/auth"
	"kurama/paas/build"
	"kurama/paas/cron"
	"kurama/paas/database"
	"kurama/paas/deploy"
	"kurama/paas/disk"
	"kurama/paas/domain"
	"kurama/paas/git"
	"kurama/paas/router"
	"kurama/paas/runtime"
	"kurama/paas/store"
	"kurama/sdk/python"
	"kurama/sdk/reqsim"
	"kurama/services/alert"
	"kurama/services/archive"
	"kurama/services/persist"
	"kurama/services/profile"
	"kurama/web"
)

// sweepTimeout bounds the cleaning at the start of the role.
const sweepTimeout = 20 * time.Second

// newPaas wires the control plane: the deployer and the API in front of it.
func newPaas(ctx context.Context, w *wiring) (runner, error) {
	pool, err := w.pool(ctx)
	if err != nil {
		return nil, err
	}
	if err := w.openKeys(ctx, pool); err != nil {
		return nil, err
	}
	e, err := w.engine(store.New(pool))
	if err != nil {
		return nil, err
	}
	// What a killed role had under way belongs to nobody any more.
	sweeping, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	if err := e.Sweep(sweeping); err != nil {
		w.log.Warn("containers of commands and builds that were cut off stay behind", "error", err)
	}
	if err := e.MountVolumes(sweeping); err != nil {
		w.log.Error("volumes are not mounted, and the apps that need them will not start", "error", err)
	}
	if err := store.New(pool).EndLostLoadTests(sweeping); err != nil {
		w.log.Warn("load tests that were cut off still look as if they ran", "error", err)
	}
	room := disk.New(w.cfg.Disk, w.folders.Data, w.log)
	events, databases := w.sender(0), w.databases(pool)
	deployer, err := w.deployer(pool, e, events, room, databases)
	if err != nil {
		return nil, err
	}
	room.With(housekeeping{deployer, e, databases})
	bounds := tenantBounds{Engine: e, store: store.New(pool), folders: w.folders, normal: int64(w.cfg.Quota.LogBytes), log: w.log}
	jobs := store.New(pool)
	crons := cron.New(w.cfg.Cron, cron.Deps{Jobs: jobs, Runs: jobs, Runner: deployer, Events: events, Log: w.log})
	instance, err := w.instance()
	if err != nil {
		return nil, err
	}
	domains := domain.New(w.cfg.Domains, w.cfg.Domain, instance, store.New(pool), net.DefaultResolver, w.log)
	console, err := w.console(ctx, pool, deployer, crons, bounds, room, domains, databases)
	if err != nil {
		return nil, err
	}
	return together{deployer, console, crons, room, bounds, domains, databases, auth.NewAuditKeeper(w.cfg.Console, pool, w.log)}, nil
}

// housekeeping is who knows what the disk holds, and collects.
type housekeeping struct {
	*deploy.Deployer
	engine    *runtime.Engine
	databases *database.Keeper
}

// Databases returns what the databases of each tenant hold.
func (h housekeeping) Databases(ctx context.Context) (map[string]int64, error) {
	return h.databases.Used(ctx)
}

// Output returns what the engine keeps of the replicas' output.
func (h housekeeping) Output(ctx context.Context) (map[string]int64, error) {
	return h.engine.Output(ctx)
}

// innerPort is the port on which containers reach the router: it has to listen on
// all addresses for that, and so on those of the tenants' bridges. 0: they do not.
func innerPort(listen string) int {
	host, _, err := net.SplitHostPort(listen)
	if ip, parseErr := netip.ParseAddr(host); err != nil || host != "" && (parseErr != nil || !ip.IsUnspecified()) {
		return 0
	}
	return portNumber(listen)
}

// engine connects to Docker for this installation.
func (w *wiring) engine(walls runtime.Walls) (*runtime.Engine, error) {
	instance, err := w.instance()
	if err != nil {
		return nil, err
	}
	e, err := runtime.New(w.cfg.Docker, runtime.Options{Instance: instance, RunDir: w.folders.Run, StandbyDir: w.folders.Sub("standby"), VolumeDir: w.folders.Sub("volumes"), Postgres: w.folders.Socket(postgres.AppsName), Walls: walls, RouterPort: innerPort(w.cfg.Router.Listen), Log: w.log})
	if err != nil {
		return nil, err
	}
	w.onClose(func() { _ = e.Close() })
	return e, nil
}

// builder takes uploads in and makes layers and the base image.
func (w *wiring) builder(e *runtime.Engine) (*build.Builder, error) {
	instance, err := w.instance()
	if err != nil {
		return nil, err
	}
	docker, err := runtime.Client(w.cfg.Docker.Host)
	if err != nil {
		return nil, err
	}
	w.onClose(func() { _ = docker.Close() })
	return build.New(w.cfg.Build, build.Options{Data: w.folders.Data, Instance: instance, Threads: w.cfg.App.Threads,
		SDK: python.Files(), Docker: docker, Network: e.BuildNetwork, Walls: e, Log: w.log})
}

func (w *wiring) deployer(pool *pgxpool.Pool, e *runtime.Engine, events deploy.Events, room *disk.Guard, databases *database.Keeper) (*deploy.Deployer, error) {
	b, err := w.builder(e)
	if err != nil {
		return nil, err
	}
	return deploy.New(
		deploy.Options{App: w.cfg.App, Domain: w.cfg.Domain, RouterPort: portNumber(w.cfg.Router.Listen), TLSPort: tlsPort(w.cfg), Most: w.cfg.Router.Most()},
		deploy.Deps{Store: store.New(pool).Within(w.cfg.Quota.Bounds()).Sealing(w.keys), Decided: store.NewPolicies(pool, w.cfg.Autoscaler.Default()), Builder: b, Engine: e, Router: router.NewClient(w.folders.Socket("router.sock")),
			Events: events, Disk: room, Databases: databases, Log: w.log,
			Figures:   releaseFigures{profile.NewQuery(pool), persist.NewQuery(pool)},
			Deeds:     deeds{auth.New(w.cfg.Console, pool)},
			Herald:    alert.NewRules(pool, w.cfg.Alert, w.cfg.SMTP, consoleURL(w.cfg)),
			Pipelines: declared{pipelines{store.New(pool), alert.NewRules(pool, w.cfg.Alert, w.cfg.SMTP, consoleURL(w.cfg)), w.status(pool), w.archived()}, auth.New(w.cfg.Console, pool), w.log}}), nil
}

func (w *wiring) console(ctx context.Context, pool *pgxpool.Pool, d *deploy.Deployer, crons *cron.Cron, bounds tenantBounds, room *disk.Guard, domains *domain.Keeper, databases *database.Keeper) (*api.API, error) {
	ln, err := role.Listener(0, w.cfg.Console.Listen)
	if err != nil {
		return nil, portSentence("console.listen", w.cfg.Console.Listen, err)
	}
	if ln, err = role.Secure(ln, w.cfg.TLS, w.log); err != nil {
		return nil, err
	}
	public := w.cfg.Console
	public.URL = consoleURL(w.cfg)
	accounts := auth.New(public, pool)
	bound, err := w.tenantPool(ctx) // whatever is asked for a tenant goes through it
	if err != nil {
		return nil, err
	}
	rules := alert.NewRules(bound, w.cfg.Alert, w.cfg.SMTP, consoleURL(w.cfg))
	apps := store.New(bound)
	tester := newLoadTester(ctx, w.cfg, apps, func(tenant, app string) reqsim.Watch {
		return localWatch(apps, d, persist.NewQuery(bound), tenant, app)
	}, w.log)
	w.onClose(tester.wait)
	var provider api.Provider
	if p := accounts.Provider(w.cfg.OIDC, w.log); p != nil {
		provider = p
	}
	pushes, err := git.New(w.cfg.Git, git.Options{Releases: w.folders.Sub("releases"), Temp: w.folders.Sub("uploads"), Hooks: w.folders.Sub("hooks"),
		SourceMax: w.cfg.Build.SourceMax, Entries: w.cfg.Build.Entries, Log: w.log})
	if err != nil {
		return nil, err
	}
	return api.New(public, api.Options{
		Cron: crons, Pushes: pushes,
		Listener: ln, Log: w.log, Pages: web.Handler(web.Pages(), "console.html"), Policy: web.Policy, DataDir: w.folders.Data, Domain: w.cfg.Domain, RouterPort: portNumber(w.cfg.Router.Listen), TLSPort: tlsPort(w.cfg),
		DashboardURL: w.cfg.Dashboard.URL, DashboardPort: portNumber(w.cfg.Dashboard.Listen), MaxEntries: w.cfg.Build.Entries,
		Sessions: accounts, Tenants: tenantsOf{accounts, d.Builder}, Users: auth.NewPeople(auth.New(public, bound), accounts), Tokens: auth.New(public, bound), Invitations: accounts, Audit: accounts, Provider: provider,
		Store: store.New(bound).Within(w.cfg.Quota.Bounds()).Sealing(w.keys), Policies: store.NewPolicies(bound, w.cfg.Autoscaler.Default()).Within(w.cfg.Quota.Bounds()), Deployer: deployerOf{d},
		Logs: logQuery{persist.NewQuery(bound)}, Archive: w.archived(),
		Alerts: alertRules{rules}, Outbox: alertRules{rules}, Profile: profileQuery{profile.NewQuery(bound)},
		Course: courseQuery{pastQuery{persist.NewQuery(bound), profile.NewQuery(bound), w.cfg.Logship.SampleInterval}}, Status: w.status(pool),
		LoadTester: tester, Reports: reportFiles{}, Disk: room, Engine: bounds, Logged: bounds,
		Pipelines: pipelines{store.New(bound), rules, w.status(pool), w.archived()}, Replayer: newReplayer(profile.NewQuery(bound), w.cfg.Router.RequestTimeout),
		Domains: domains, Databases: databases, Bounds: w.cfg.Router.Most(),
	})
}

// archived reads the archive of this installation.
func (w *wiring) archived() archiveQuery {
	return archiveQuery{archive.NewReader(w.folders.Sub("archive"), w.folders.Socket("archive.sock"), w.log), w.cfg.Archive}
}

// status asks the roles of this installation.
func (w *wiring) status(pool *pgxpool.Pool) platformStatus {
	return platformStatus{w.folders, w.cfg.TLS.On(), w.cfg.Console.Listen, w.cfg.Dashboard.Listen, store.New(pool), persist.NewQuery(pool)}
}

// together runs several parts as one role; the end of one ends all.
type together []runner

// Run returns the first error.
func (t together) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make(chan error, len(t))
	for _, r := range t {
		go func() { errs <- r.Run(ctx) }()
	}
	var first error
	for range t {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
		cancel()
	}
	return first
}
