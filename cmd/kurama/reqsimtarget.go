package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurama/internal/client"
	"kurama/internal/config"
	"kurama/paas"
	"kurama/sdk/reqsim"
)

// routerAddress returns where apps are reached: as KURAMA_ROUTER says, or on
// this machine's router.
func routerAddress(cfg config.Config, env string) string {
	if env != "" {
		return env
	}
	_, port, _ := net.SplitHostPort(cfg.Router.Listen) // the configuration was checked
	return "http://" + net.JoinHostPort(cfg.Domain, port)
}

// aim says where the plan goes: to the app that is named, or to addresses that
// are apps of the caller or allowed. It is watched where it is an app.
func (f *reqsimFlags) aim(cmd *cobra.Command, cfg config.Config, plan *reqsim.Plan) error {
	router := os.Getenv("KURAMA_ROUTER")
	if router == "" && f.app != "" && !cmd.Flags().Changed("config") {
		router = f.signedInRouter(cmd)
	}
	router = routerAddress(cfg, router)
	f.url = plan.URL
	address, err := f.target(router, cfg.Reqsim.Allow)
	if err != nil {
		return err
	}
	plan.URL = address
	base, _ := url.Parse(router) // target has read it
	for _, address := range plan.Also {
		if err := mayBeSentTo(address, base, cfg.Reqsim.Allow); err != nil {
			return err
		}
	}
	for i, address := range slices.Concat([]string{plan.URL}, plan.Also) {
		tenant, app, ours := appAt(address, base)
		if !ours || isAllowed(address, cfg.Reqsim.Allow) {
			continue
		}
		s, err := f.owned(cmd, tenant, app)
		if err != nil {
			return err
		}
		if i > 0 {
			continue
		}
		plan.Watch = remoteWatch(s, app)
		if f.traffic != "" {
			if err := f.recorded(s, app, plan); err != nil {
				return err
			}
		}
	}
	if f.traffic != "" && len(plan.Replay) == 0 {
		return errors.New("--traffic needs an app whose stored requests are sent again: name it with --app")
	}
	return nil
}

// signedInRouter returns where the platform that the caller is signed in to
// serves apps, by the address of the app there; "" where nobody tells.
func (f *reqsimFlags) signedInRouter(cmd *cobra.Command) string {
	named := ""
	if f.tenant != paas.DefaultTenant {
		named = f.tenant
	}
	s, err := newSession(cmd, named)
	if err != nil {
		return ""
	}
	var view struct{ URL string }
	if s.get(appPath(f.app), nil, &view) != nil {
		return ""
	}
	return routerOf(view.URL, f.tenant, f.app)
}

// routerOf returns the router's address where address is that of an app on it,
// else "".
func routerOf(address, tenant, app string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	for base, more := u.Host, true; more; {
		if _, base, more = strings.Cut(base, "."); more && slices.Contains(paas.Hosts(tenant, app, base), u.Host) {
			return u.Scheme + "://" + base
		}
	}
	return ""
}

// owned asks the platform whether an app is the caller's: nobody puts load on
// that of somebody else.
func (f *reqsimFlags) owned(cmd *cobra.Command, tenant, app string) (*session, error) {
	named := ""
	if tenant != paas.DefaultTenant {
		named = tenant
	}
	s, err := newSession(cmd, named)
	if err != nil {
		return nil, err
	}
	var view struct{ Tenant string }
	err = s.get(appPath(app), nil, &view)
	if problem, ok := errors.AsType[*client.Problem](err); ok && problem.Status == 404 || err == nil && view.Tenant != tenant {
		return nil, fmt.Errorf("%s is no app of yours in the tenant %s, and simulated requests go to nobody else's", app, tenant)
	}
	if err != nil {
		return nil, fmt.Errorf("it is not known whether %s is yours: %w", app, err)
	}
	return s, nil
}

// target returns the address to send to: the app's on the router, or the one
// given, which must be an app of the platform or allowed.
func (f *reqsimFlags) target(router, allow string) (string, error) {
	base, err := url.Parse(router)
	if err != nil || base.Host == "" {
		return "", fmt.Errorf("KURAMA_ROUTER is %q, which is no address: write it as http://localhost:8080", router)
	}
	if f.url != "" {
		return f.url, mayBeSentTo(f.url, base, allow)
	}
	if f.app == "" {
		return "", errors.New("name the app with --app, or an address with --url")
	}
	if err := paas.CheckName("an app", f.app); err != nil {
		return "", err
	}
	base.Host = paas.Hosts(f.tenant, f.app, base.Host)[0]
	return base.String(), nil
}

// mayBeSentTo returns an error unless an address is an app below the router's,
// or one of those that the configuration allows: a slip of the hand must not
// put load on somebody else's machine.
func mayBeSentTo(address string, router *url.URL, allow string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return fmt.Errorf("%q is not an address: write it as http://hello.localhost:8080", address)
	}
	if _, _, ours := appAt(address, router); ours || isAllowed(address, allow) {
		return nil
	}
	return fmt.Errorf("%s is no app of this platform (%s), and simulated requests go to nothing else. Name the app with --app, or allow the address: `reqsim: {allow: %q}` in kuramaconfig.yaml",
		address, router, net.JoinHostPort(strings.ToLower(u.Hostname()), portOfURL(u)))
}

// isAllowed reports whether the configuration lists an address.
func isAllowed(address, allow string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	listed := strings.FieldsFunc(strings.ToLower(allow), func(r rune) bool { return r == ',' || r == ' ' })
	return slices.Contains(listed, host) || slices.Contains(listed, net.JoinHostPort(host, portOfURL(u)))
}

// appAt returns the app that an address below the router's belongs to.
func appAt(address string, router *url.URL) (tenant, app string, ours bool) {
	u, err := url.Parse(address)
	if err != nil || portOfURL(u) != portOfURL(router) {
		return "", "", false
	}
	name, below := strings.CutSuffix(strings.ToLower(u.Hostname()), "."+strings.ToLower(router.Hostname()))
	app, tenant, _ = strings.Cut(name, ".")
	return cmp.Or(tenant, paas.DefaultTenant), app, below && app != ""
}

func portOfURL(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// maxReplayed bounds the requests of stored traffic that are sent again.
const maxReplayed = 200_000

// recorded makes a replay of the app's stored requests. Only those are sent
// again that carry nothing and change nothing: bodies are not stored.
func (f *reqsimFlags) recorded(s *session, app string, plan *reqsim.Plan) error {
	length, err := time.ParseDuration(f.traffic)
	if err != nil || length <= 0 || !(f.speed > 0) {
		return fmt.Errorf("--traffic is %q and --speed %g: write the first as 1h or 30m, both above 0", f.traffic, f.speed)
	}
	to := time.Now().UTC()
	from := to.Add(-length)
	hits, others, err := s.storedRequests(app, from, to)
	if err != nil {
		return err
	}
	if len(hits) == 0 {
		return fmt.Errorf("%s has no stored GET or HEAD request of the last %s", app, f.traffic)
	}
	for i := range hits {
		hits[i].At = time.Duration(float64(hits[i].At) / f.speed)
	}
	plan.Replay, plan.Duration = hits, time.Duration(float64(length)/f.speed)
	if most := float64(len(hits)) / plan.Duration.Seconds(); most > plan.MaxRate {
		return fmt.Errorf("that is %.0f requests/s on average, and the bound is %g: lower --speed, or raise --max-rate", most, plan.MaxRate)
	}
	if others > 0 {
		s.say("%d requests with other methods are left out: they may change something, and their bodies are not stored.", others)
	}
	return nil
}
