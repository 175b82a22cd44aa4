package router

import (
	"cmp"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"kurama/paas"
)

// Why a request is not let through to its app.
var (
	errMaintenance = errors.New("the app is in maintenance")
	errPassword    = errors.New("the app is private")
	errNoSlash     = errors.New("the path an app is mounted below needs a slash at its end")
	errRate        = errors.New("the client sends too much")
)

// gate is what stands before an app. The zero gate lets everybody in.
type gate struct {
	paas.Gate
	mu      sync.Mutex
	clients map[string]*client
}

type client struct {
	*rate.Limiter
	seen time.Time
}

// maxClients bounds what is remembered for the rate of one app. Beyond it those
// unseen for longest are forgotten, which gives them a fresh burst.
const maxClients = 20_000

// newGate returns nil where nothing stands before the app.
func newGate(g paas.Gate) *gate {
	if g == (paas.Gate{}) {
		return nil
	}
	return &gate{Gate: g, clients: map[string]*client{}}
}

// check returns why a request is not let in, or nil.
func (g *gate) check(r *http.Request, proto string, now time.Time) error {
	switch {
	case g == nil:
		return nil
	case g.HTTPS && proto == "http":
		return errPlain
	case g.Rate > 0 && !g.allow(clientKey(r), now):
		return errRate
	case g.User != "" && !g.knows(r):
		return errPassword
	case g.Maintenance:
		return errMaintenance
	}
	return nil
}

// knows reports whether the request carries the password, which ends here: the
// app has no use for it.
func (g *gate) knows(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	if !ok || user != g.User || !paas.MatchBasic(g.Password, password) {
		return false
	}
	r.Header.Del("Authorization")
	return true
}

// allow takes one request from what a client may send.
func (g *gate) allow(key string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.clients[key]
	if c == nil {
		if len(g.clients) >= maxClients {
			g.forget(now)
		}
		burst := max(cmp.Or(g.Burst, int(g.Rate)), 1)
		c = &client{Limiter: rate.NewLimiter(rate.Limit(g.Rate), burst)}
		g.clients[key] = c
	}
	c.seen = now
	return c.AllowN(now, 1)
}

// forget lets go of those who have their whole burst again, and of all where
// nobody has. The caller holds mu.
func (g *gate) forget(now time.Time) {
	for key, c := range g.clients {
		if c.TokensAt(now) >= float64(c.Burst()) {
			delete(g.clients, key)
		}
	}
	if len(g.clients) >= maxClients {
		clear(g.clients)
	}
}

// clientKey names who sent a request: its address, or for IPv6 the network that
// one customer has. What a proxy on this machine says counts, as for
// X-Forwarded-For.
func clientKey(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if addr.Unmap().IsLoopback() {
		if before := r.Header["X-Forwarded-For"]; len(before) > 0 {
			last := before[len(before)-1]
			if told, err := netip.ParseAddr(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])); err == nil {
				addr = told
			}
		}
	}
	if addr = addr.Unmap(); addr.Is6() {
		if network, err := addr.Prefix(64); err == nil {
			return network.String()
		}
	}
	return addr.String()
}

// barred returns the page for a request that was not let in; ok is false for
// other errors.
func (v *visit) barred(err error) (p page, ok bool) {
	switch {
	case errors.Is(err, errPlain):
		to := v.secure()
		v.w.Header().Set("Location", to)
		return page{http.StatusPermanentRedirect, "Moved to https", v.app.name + " answers on " + to + ".", 0}, true
	case errors.Is(err, errNoSlash):
		to := v.prefix + "/" + v.uri[len(v.prefix):]
		v.w.Header().Set("Location", to)
		return page{http.StatusPermanentRedirect, "Moved", v.app.name + " answers on " + v.prefix + "/.", 0}, true
	case errors.Is(err, errMaintenance):
		detail := v.app.name + " is in maintenance. Come back in a while."
		if g := v.app.gate.Load(); g != nil {
			detail = cmp.Or(g.Message, detail)
		}
		return page{http.StatusServiceUnavailable, "In maintenance", detail, 60}, true
	case errors.Is(err, errPassword):
		v.w.Header().Set("WWW-Authenticate", `Basic realm="`+v.app.name+`", charset="UTF-8"`)
		return page{http.StatusUnauthorized, "Password needed", v.app.name + " is private: a name and a password are needed.", 0}, true
	case errors.Is(err, errRate):
		return page{http.StatusTooManyRequests, "Too many requests", "You send more requests than " + v.app.name + " takes from one client. Wait a moment.", 1}, true
	}
	return p, false
}
