package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"kurama/paas"
)

// problem is one value out of bounds.
type problem struct{ key, text string }

// check returns every value that is out of its bounds.
func (c *Config) check() []problem {
	var found []problem
	add := func(key, format string, args ...any) {
		found = append(found, problem{key, fmt.Sprintf(format, args...)})
	}
	c.checkSigns(add)
	c.checkChoices(add)
	c.checkAddresses(add)
	c.checkRelations(add)
	c.checkPolicy(add)
	return found
}

type adder func(key, format string, args ...any)

// mayBeZero lists the numbers for which 0 has a meaning.
var mayBeZero = []string{"smtp.port", "persist.ahead", "autoscaler.min", "autoscaler.load_down", "autoscaler.cooldown",
	"build.keep_source", "build.cache_max", "app.live_interval", "app.standby", "app.slow_request", "archive.tenant_max", "quota.apps", "quota.replicas", "quota.cpu", "quota.memory", "quota.disk", "quota.build_minutes", "quota.log_bytes", "docker.connections", "docker.output_rate", "console.sign_in_rate", "router.eject_after", "router.slow_start", "databases.statement_timeout"}

// checkSigns refuses zero and negative numbers where they mean nothing.
func (c *Config) checkSigns(add adder) {
	walk(reflect.ValueOf(c).Elem(), "", func(key string, f reflect.Value) {
		var v float64
		switch {
		case f.CanInt():
			v = float64(f.Int())
		case f.CanFloat():
			v = f.Float()
		default:
			return
		}
		shown := fmt.Sprint(f.Interface())
		if v < 0 {
			add(key, "%s is negative; use a number above 0", shown)
		} else if v == 0 && !slices.Contains(mayBeZero, key) {
			add(key, "%s means nothing here; use a number above 0", shown)
		}
	})
}

func (c *Config) checkChoices(add adder) {
	choice := func(key, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			add(key, "%q is not known. Allowed: %s", value, strings.Join(allowed, ", "))
		}
	}
	choice("log_level", c.LogLevel, "debug", "info", "warn", "error")
	choice("alert.group_by", c.Alert.GroupBy, "app", "tenant", "rule")
	choice("smtp.tls", c.SMTP.TLS, "starttls", "implicit", "opportunistic", "none")
	choice("docker.egress", c.Docker.Egress, "open", "none")
	choice("oidc.role", c.OIDC.Role, "owner", "developer", "viewer")
	if c.OIDC.Issuer != "" && c.OIDC.ClientID == "" {
		add("oidc.client_id", "it is needed with oidc.issuer; the provider gives it when Kurama is registered there")
	}
	if _, err := c.Alert.WebhookAllow.parse(); err != nil {
		add("alert.webhook_allow", "%v", err)
	}
	if len(c.Git.Deploying()) == 0 {
		add("git.branches", "a branch is needed that deploys, for example main")
	}
	if c.Data == "" {
		add("data", "a folder is needed, for example ./data")
	}
	if c.Domain == "" || strings.ContainsAny(c.Domain, " /:") {
		add("domain", "%q is not a host name, for example localhost or apps.example.org", c.Domain)
	}
}

func (c *Config) checkAddresses(add adder) {
	for key, addr := range map[string]string{"console.listen": c.Console.Listen, "dashboard.listen": c.Dashboard.Listen,
		"router.listen": c.Router.Listen, "stream.listen": c.Stream.Listen} {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			add(key, "%q is not an address; write it as :5001 or 127.0.0.1:5001", addr)
		}
	}
	c.checkTLS(add)
	if host, _, err := net.SplitHostPort(c.Stream.Listen); err == nil {
		if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
			add("stream.listen", "%q is not a loopback address; the embedded stream is for this host alone, use 127.0.0.1:5006", c.Stream.Listen)
		}
	}
	if _, err := c.Console.TrustedProxies(); err != nil {
		add("console.proxies", "%s; write it as 127.0.0.1 or 10.0.0.0/8, with commas between", err)
	}
	pool, err := netip.ParsePrefix(c.Docker.NetworkPool)
	switch {
	case err != nil || !pool.Addr().Is4():
		add("docker.network_pool", "%q is not an IPv4 range; write it as 10.213.0.0/16", c.Docker.NetworkPool)
	case c.Docker.NetworkSize < pool.Bits() || c.Docker.NetworkSize > 29:
		add("docker.network_size", "%d does not fit; use %d (the pool's) to 29", c.Docker.NetworkSize, pool.Bits())
	}
}

func (c *Config) checkTLS(add adder) {
	if (c.TLS.File == "") != (c.TLS.Key == "") {
		add("tls.key", "tls.certificate and tls.key go together: name both files, or none")
	}
	t := c.Router.TLS
	if t.Listen == "" {
		return
	}
	if _, _, err := net.SplitHostPort(t.Listen); err != nil {
		add("router.tls.listen", "%q is not an address; write it as :443 or 127.0.0.1:8443", t.Listen)
	}
	if u, err := url.Parse(t.Directory); err != nil || u.Scheme != "https" || u.Host == "" {
		add("router.tls.directory", "%q is not the https address of an ACME directory", t.Directory)
	}
}

func (c *Config) checkRelations(add adder) {
	if c.Dashboard.FrameInterval < 50*time.Millisecond {
		add("dashboard.frame_interval", "%s is too short; at least 50ms", c.Dashboard.FrameInterval)
	}
	if c.Router.RequestTimeout > c.Router.AppTimeout {
		add("router.app_timeout", "%s is below router.request_timeout (%s), which every app has", c.Router.AppTimeout, c.Router.RequestTimeout)
	}
	if c.Router.MaxBody > c.Router.AppBody {
		add("router.app_body", "%s is below router.max_body (%s), which every app has", c.Router.AppBody, c.Router.MaxBody)
	}
	if c.App.RestartMin > c.App.RestartMax {
		add("app.restart_min", "%s is above app.restart_max (%s)", c.App.RestartMin, c.App.RestartMax)
	}
	if c.App.LookInterval < time.Second {
		add("app.look_interval", "%s is too short; at least 1s", c.App.LookInterval)
	}
	if c.App.Memory < 32*MiB {
		add("app.memory", "%s is too little for Python; at least 32MiB", c.App.Memory)
	}
	if c.App.Disk > c.App.Memory {
		add("app.disk", "%s is above app.memory (%s), which writable space is taken from", c.App.Disk, c.App.Memory)
	}
	if n := c.Stream.Replicas; n < 1 || n > 5 || n%2 == 0 || n > 1 && c.Stream.URL == "" {
		add("stream.replicas", "%d is not 1, or 3 or 5 of an external cluster (stream.url)", n)
	}
	if c.Disk.Refuse > c.Disk.Warn {
		add("disk.refuse", "%s is above disk.warn (%s): a warning would come too late", c.Disk.Refuse, c.Disk.Warn)
	}
	if d := c.Databases; d.AppConns > d.MaxConns {
		add("databases.app_conns", "%d is above databases.max_conns (%d), which all apps share", d.AppConns, d.MaxConns)
	}
	if d := c.Databases; d.Size < paas.MinDatabase || d.Size > d.SizeMax {
		add("databases.size", "%s does not fit; use 16MiB to databases.size_max (%s)", d.Size, d.SizeMax)
	}
	if c.Databases.SessionMemory < 32*MiB {
		add("databases.session_memory", "%s is too little for a connection of Postgres; at least 32MiB", c.Databases.SessionMemory)
	}
	if c.Stream.URL != "" && !strings.Contains(c.Stream.URL.Reveal(), "://") {
		add("stream.url", "this is not an address; write it as nats://host:4222")
	}
}
