// Package api serves the console and the API of the platform: the program's
// front door on port 5001, described by its own /api/v1/openapi.json.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"kurama/internal/config"
	"kurama/paas"
)

// Prefix is the path below which all routes of the API are.
const Prefix = "/api/v1"

// Options are the parts and facts that the API needs. All of them are
// required but those that say otherwise.
type Options struct {
	Listener net.Listener
	Log      *slog.Logger
	Pages    http.Handler // the console's pages, at / and below
	Policy   string       // content security policy of every answer

	DataDir       string // uploads are kept in DataDir/uploads while they arrive
	Domain        string // apps answer below it
	RouterPort    int
	TLSPort       int    // the router's encrypted port; 0: none
	DashboardURL  string // empty: the host that was asked for, on DashboardPort
	DashboardPort int
	MaxEntries    int // files of an uploaded folder

	Sessions    Sessions
	Tenants     Tenants
	Users       Users
	Tokens      Tokens
	Invitations Invitations
	Audit       Auditor
	Provider    Provider // nil: people sign in with passwords alone
	Store       Store
	Policies    Policies
	Deployer    Deployer
	Logs        Logs
	Archive     Archive
	Alerts      Alerts
	Outbox      Outbox
	Profile     Profiler
	Course      Courser
	Status      Statuser
	Disk        Disk
	Engine      Engine
	Logged      Logged
	LoadTester  LoadTester
	Reports     ReportWriter
	Replayer    Replayer
	Pipelines   Pipelines
	Cron        Cron
	Domains     Domains
	Pushes      Pushes
	Databases   Databases
	Bounds      paas.Bounds // that an app may give itself at the most
}

// Store is the control plane's state, one interface per resource.
type Store interface {
	appStore
	appList
	envStore
	releaseStore
	buildLog
	quotaStore
	routingStore
	cronStore
	loadTestStore
	egressStore
	autoRollbackStore
}

// Deployer moves releases; its methods return once the work is under way.
type Deployer interface {
	releaser
	replicaLister
	runner
	isolator
	sampler
	volumer
}

// API is the role that serves the console and the API.
type API struct {
	cfg     config.Console
	deps    Options
	log     *slog.Logger
	uploads string
	huma    huma.API
	handler http.Handler
	metrics metrics

	summaries map[string]string // of the operations, by their IDs
	proxies   []netip.Prefix    // whose X-Forwarded-For is believed

	// streams ends when the API stops, so that a log that is followed does not
	// hold a clean stop up.
	streams context.Context
	stop    context.CancelFunc

	ping time.Duration // between two pings of a terminal
}

// New returns an API on deps.Listener. It returns an error that names what is
// missing in deps, or why DataDir/uploads cannot be used.
func New(cfg config.Console, deps Options) (*API, error) {
	if err := deps.check(); err != nil {
		return nil, err
	}
	a := &API{cfg: cfg, deps: deps, log: deps.Log, uploads: filepath.Join(deps.DataDir, "uploads"), metrics: newMetrics(),
		summaries: map[string]string{}, ping: terminalPing}
	var err error
	if a.proxies, err = cfg.TrustedProxies(); err != nil {
		return nil, fmt.Errorf("console.proxies: %w", err)
	}
	if err := os.MkdirAll(a.uploads, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of uploads: %w", err)
	}
	if err := a.removeStaleUploads(); err != nil {
		return nil, err
	}
	a.streams, a.stop = context.WithCancel(context.Background())
	mux := http.NewServeMux()
	if err := a.routes(mux); err != nil {
		return nil, err
	}
	a.handler = a.withMetrics(a.withSecurityHeaders(mux))
	return a, nil
}

// check names the first part that is missing.
func (o Options) check() error {
	for name, missing := range map[string]bool{
		"listener": o.Listener == nil, "log": o.Log == nil, "pages": o.Pages == nil, "content policy": o.Policy == "", "data folder": o.DataDir == "",
		"sessions": o.Sessions == nil, "tenants": o.Tenants == nil, "users": o.Users == nil, "tokens": o.Tokens == nil,
		"invitations": o.Invitations == nil, "audit log": o.Audit == nil,
		"store": o.Store == nil, "policies": o.Policies == nil, "deployer": o.Deployer == nil, "logs": o.Logs == nil, "archive": o.Archive == nil,
		"alerts": o.Alerts == nil, "outbox": o.Outbox == nil, "profile": o.Profile == nil, "course": o.Course == nil, "status": o.Status == nil, "disk": o.Disk == nil, "load tester": o.LoadTester == nil, "reports": o.Reports == nil, "replayer": o.Replayer == nil, "pipelines": o.Pipelines == nil, "domains": o.Domains == nil, "pushes": o.Pushes == nil, "databases": o.Databases == nil,
		"cron":   o.Cron == nil,
		"engine": o.Engine == nil, "counts of the log": o.Logged == nil,
	} {
		if missing {
			return errors.New("the API cannot start without " + name)
		}
	}
	return nil
}

// Handler returns all that the API serves.
func (a *API) Handler() http.Handler { return a.handler }

func (a *API) routes(mux *http.ServeMux) error {
	a.huma = humago.NewWithPrefix(mux, Prefix, description())
	for _, register := range []func(){
		a.sessionRoutes, a.oidcRoutes, a.tenantRoutes, a.userRoutes, a.tokenRoutes, a.invitationRoutes, a.auditRoutes, a.appRoutes, a.envRoutes, a.releaseRoutes, a.canaryRoutes,
		a.uploadRoutes, a.logRoutes, a.archiveRoutes, a.alertRoutes, a.outboxRoutes, a.profileRoutes,
		a.scalingRoutes, a.quotaRoutes, a.loadTestRoutes, a.whatIfRoutes, a.runRoutes, a.volumeRoutes, a.databaseRoutes, a.routingRoutes, a.pipelineRoutes, a.statusRoutes, a.diskRoutes,
		a.cronRoutes, a.terminalRoutes, a.releaseReceiverRoutes, a.autoRollbackRoutes,
		a.egressRoutes, a.isolationRoutes,
	} {
		register()
	}
	spec, err := json.Marshal(a.huma.OpenAPI())
	if err != nil {
		return fmt.Errorf("describing the API: %w", err)
	}
	mux.HandleFunc("GET "+Prefix+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(spec)
	})
	mux.HandleFunc("/api/", unknownRoute)
	a.pushRoutes(mux)
	a.healthRoutes(mux)
	mux.Handle("GET /{$}", a.deps.Pages) // apart, so that metrics tell the page from its files
	mux.Handle("/", a.deps.Pages)
	return nil
}

func description() huma.Config {
	c := huma.DefaultConfig("Kurama", "1")
	c.Info.Description = "Deploys Flask apps and tells how they do. Sign in with a bearer token, or with the session cookie and X-CSRF-Token."
	// The pages that huma would serve load scripts from elsewhere, and its
	// links would put $schema into each answer.
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":   {Type: "http", Scheme: "bearer"},
		"session": {Type: "apiKey", In: "cookie", Name: "kurama_session"},
	}
	return c
}
