package dashboard

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"kurama/paas"
)

// problem is an error that is shown to the caller as an RFC 9457 document.
type problem struct {
	status  int
	detail  string
	console string // where to sign in, of a 401
}

// Error returns the sentence.
func (p *problem) Error() string { return p.detail }

// handler routes every request of the role.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.counters.registry, promhttp.HandlerOpts{}))
	for path, fn := range s.routes() {
		mux.Handle("GET "+path, s.answer(fn))
	}
	mux.Handle("POST /api/share", s.answer(s.share))
	mux.Handle("/api/", s.answer(func(http.ResponseWriter, *http.Request, Identity) error {
		return &problem{status: http.StatusNotFound, detail: "The dashboard has no such address; its API is /api/live, /api/history, /api/session and /api/apps."}
	}))
	mux.Handle("/", s.opts.Pages)
	return s.secure(mux)
}

// reply answers a request of somebody known.
type reply func(http.ResponseWriter, *http.Request, Identity) error

// routes are the paths that show what is a tenant's; a test asks each as others.
func (s *Server) routes() map[string]reply {
	return map[string]reply{
		"/api/live":           s.live,
		"/api/history":        s.course,
		"/api/history/window": s.window,
		"/api/session":        s.session,
		"/api/apps":           s.apps,
	}
}

// answer identifies the sender and turns an error into its document. What is
// not a problem stays unexplained to the caller and goes to the log.
func (s *Server) answer(fn reply) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		who, err := s.identify(r)
		if err == nil {
			err = who.bound(r)
		}
		if err == nil {
			err = fn(w, r, who)
		}
		if err == nil {
			return
		}
		var p *problem
		switch {
		case errors.As(err, &p):
		case errors.Is(err, ErrUnauthenticated):
			p = &problem{status: http.StatusUnauthorized, console: s.consoleURL(r),
				detail: "You are not signed in. Sign in on the console, or send a token as `Authorization: Bearer`."}
		default:
			s.log.Error("a request failed", "path", r.URL.Path, "err", err)
			p = &problem{status: http.StatusServiceUnavailable, detail: "The dashboard cannot look that up right now. Try again in a moment."}
		}
		writeProblem(w, p)
	})
}

// bound refuses what the sender's token is not for.
func (who Identity) bound(r *http.Request) error {
	if who.Blind {
		return &problem{status: http.StatusForbidden, detail: "The token is not for reading. Make one with the scope read."}
	}
	ofNone := r.URL.Path == "/api/session" || r.URL.Path == "/api/apps" || r.URL.Path == "/api/share" // what is not about one app
	if who.App != "" && !ofNone && r.URL.Query().Get("app") != who.App {
		return &problem{status: http.StatusNotFound, detail: fmt.Sprintf("The token is for the app %s only. Add `app=%s` to the address.", who.App, who.App)}
	}
	return nil
}

func writeProblem(w http.ResponseWriter, p *problem) {
	if p.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.status)
	_ = json.NewEncoder(w).Encode(struct {
		Title   string `json:"title"`
		Status  int    `json:"status"`
		Detail  string `json:"detail"`
		Console string `json:"console_url,omitempty"`
	}{http.StatusText(p.status), p.status, p.detail, p.console})
}

func writeJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(v)
}

// ready answers 200 once the stream is being read.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	if !s.attached.Load() {
		http.Error(w, "the stream does not answer yet", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// session tells who is signed in, as the console's API does.
func (s *Server) session(w http.ResponseWriter, r *http.Request, who Identity) error {
	return writeJSON(w, struct {
		User       string    `json:"user"`
		Role       paas.Role `json:"role"`
		Tenant     string    `json:"tenant"`
		CSRF       string    `json:"csrf"`
		URL        string    `json:"dashboard_url"`
		Console    string    `json:"console_url"`
		RouterPort int       `json:"router_port"`
		Domain     string    `json:"domain"`
	}{who.User, who.Role, own(who), who.CSRF, s.opts.URL, s.consoleURL(r), s.opts.RouterPort, s.opts.Domain})
}

// consoleURL names the host by which the caller has come: the session cookie is
// for that host alone.
func (s *Server) consoleURL(r *http.Request) string {
	if s.opts.ConsoleURL != "" {
		return s.opts.ConsoleURL
	}
	scheme := "http"
	if r.TLS != nil { // the console has the same certificate
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(hostOf(r), strconv.Itoa(s.opts.ConsolePort))
}

// hostOf returns the host that was asked for, without its port.
func hostOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		return strings.Trim(r.Host, "[]")
	}
	return host
}

// apps lists the names of the tenant's apps.
func (s *Server) apps(w http.ResponseWriter, r *http.Request, who Identity) error {
	tenant, err := tenantOf(r, who)
	if err != nil {
		return err
	}
	list, err := s.opts.Apps.Apps(r.Context(), tenant)
	if err != nil {
		return fmt.Errorf("listing the apps of %q: %w", tenant, err)
	}
	names := make([]string, 0, len(list))
	for _, app := range list {
		if who.App == "" || app.Name == who.App {
			names = append(names, app.Name)
		}
	}
	slices.Sort(names)
	return writeJSON(w, map[string][]string{"apps": names})
}

// live upgrades to a websocket and serves it until it ends.
func (s *Server) live(w http.ResponseWriter, r *http.Request, who Identity) error {
	tenant, err := tenantOf(r, who)
	if err != nil {
		return err
	}
	app, err := s.appOf(r, tenant)
	if err != nil {
		return err
	}
	if s.open.Add(1) > int64(s.cfg.MaxClients) {
		s.open.Add(-1)
		s.counters.refused.Inc()
		return &problem{status: http.StatusServiceUnavailable, detail: fmt.Sprintf("%d pages are open, as many as the dashboard serves at a time. Close one, or raise dashboard.max_clients.", s.cfg.MaxClients)}
	}
	defer s.open.Add(-1)
	s.clients.Add(1)
	defer s.clients.Done()
	if s.running.Err() != nil {
		return &problem{status: http.StatusServiceUnavailable, detail: "The dashboard is stopping."}
	}
	conn, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return nil // the upgrader has answered
	}
	s.serve(s.running, &client{key: key{tenant, app}, conn: conn, request: r, who: who})
	return nil
}

// appOf returns the app that a request is about, empty for all of the tenant's.
func (s *Server) appOf(r *http.Request, tenant string) (string, error) {
	app := r.URL.Query().Get("app")
	if app == "" {
		return "", nil
	}
	_, err := s.opts.Apps.App(r.Context(), tenant, app)
	if errors.Is(err, paas.ErrNotFound) {
		return "", &problem{status: http.StatusNotFound, detail: fmt.Sprintf("There is no app %q. Look at `/api/apps` for those that you can watch.", cut(app, 60))}
	}
	if err != nil {
		return "", fmt.Errorf("looking up app %q: %w", app, err)
	}
	return app, nil
}

// tenantOf returns the tenant that a request is about: the sender's own, or
// for an operator the one named. Another's is 404, as if it did not exist.
func tenantOf(r *http.Request, who Identity) (string, error) {
	named := r.URL.Query().Get("tenant")
	if named == "" || named == own(who) {
		return own(who), nil
	}
	if who.Role != paas.RoleOperator || paas.CheckName("a tenant", named) != nil {
		return "", &problem{status: http.StatusNotFound, detail: fmt.Sprintf("There is no tenant %q.", cut(named, 60))}
	}
	return named, nil
}

// own returns the sender's tenant; an operator without one looks at the default.
func own(who Identity) string {
	if who.Tenant == "" && who.Role == paas.RoleOperator {
		return paas.DefaultTenant
	}
	return who.Tenant
}

// sameHost lets pages of this host open the live view: those of this port and
// of the console's. Without an Origin it was no browser.
func (s *Server) sameHost(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || (s.opts.URL != "" && origin == strings.TrimSuffix(s.opts.URL, "/")) {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	if u.Host == r.Host {
		return true
	}
	return u.Hostname() == hostOf(r) && slices.Contains([]string{strconv.Itoa(s.opts.ConsolePort), portOf(s.Addr())}, u.Port())
}

func portOf(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return strconv.Itoa(tcp.Port)
	}
	return ""
}
