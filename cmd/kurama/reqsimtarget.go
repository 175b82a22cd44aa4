package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"kurama/internal/config"
	"kurama/paas"
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
	host := strings.ToLower(u.Hostname())
	if portOfURL(u) == portOfURL(router) && strings.HasSuffix(host, "."+strings.ToLower(router.Hostname())) {
		return nil
	}
	listed := strings.FieldsFunc(strings.ToLower(allow), func(r rune) bool { return r == ',' || r == ' ' })
	if slices.Contains(listed, host) || slices.Contains(listed, net.JoinHostPort(host, portOfURL(u))) {
		return nil
	}
	return fmt.Errorf("%s is no app of this platform (%s), and simulated requests go to nothing else. Name the app with --app, or allow the address: `reqsim: {allow: %q}` in kuramaconfig.yaml",
		address, router, net.JoinHostPort(host, portOfURL(u)))
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
