package router

import (
	"net"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kurama/logship/record"
)

// hopByHop are the headers that concern one connection and are never passed on.
var hopByHop = map[string]bool{
	"Connection": true, "Proxy-Connection": true, "Keep-Alive": true, "Te": true, "Trailer": true,
	"Transfer-Encoding": true, "Upgrade": true, "Proxy-Authenticate": true, "Proxy-Authorization": true,
}

// ours are the headers of a request that the router writes itself.
var ours = map[string]bool{
	"Content-Length": true, "Expect": true, "Host": true, "X-Request-Id": true,
	"X-Forwarded-For": true, "X-Forwarded-Proto": true, "X-Forwarded-Host": true, "X-Forwarded-Prefix": true,
}

// hostname returns the host of a Host header: lower case, without port, brackets
// and final dot.
func hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.IndexByte(host[i:], ']') < 0 &&
		(strings.IndexByte(host, ':') == i || strings.HasPrefix(host, "[")) {
		host = host[:i]
	}
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	host = strings.TrimSuffix(host, ".")
	for i := range len(host) {
		if c := host[i]; 'A' <= c && c <= 'Z' {
			return lowered(host)
		}
	}
	return host
}

// lowered returns host with its ASCII letters in lower case; other bytes stay.
func lowered(host string) string {
	b := []byte(host)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}

// isAddress reports whether host is an IP address.
func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// private reports whether a header is the platform's own, in whatever way a
// server of the app could read it: WSGI takes X_Kurama_Start for X-Kurama-Start.
func private(key string) bool {
	const prefix = "x-kurama-"
	if len(key) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		c := key[i] | 0x20
		if key[i] == '_' || key[i] == '-' {
			c = '-'
		}
		if c != prefix[i] {
			return false
		}
	}
	return true
}

// spoofs reports whether a header with an underscore would be taken by a WSGI
// server for one that the router writes.
func spoofs(key string) bool {
	return strings.IndexByte(key, '_') >= 0 && ours[textproto.CanonicalMIMEHeaderKey(strings.ReplaceAll(key, "_", "-"))]
}

// named returns the headers that a Connection header names.
func named(h http.Header) map[string]bool {
	values := h["Connection"]
	if len(values) == 0 {
		return nil
	}
	var names map[string]bool
	for _, value := range values {
		for name := range strings.SplitSeq(value, ",") {
			name = textproto.CanonicalMIMEHeaderKey(textproto.TrimString(name))
			if name == "Close" || name == "Keep-Alive" || name == "" {
				continue
			}
			if names == nil {
				names = map[string]bool{}
			}
			names[name] = true
		}
	}
	return names
}

// upgradeOf returns the protocol that h asks to change to, or "".
func upgradeOf(h http.Header) string {
	if len(h["Upgrade"]) == 0 || !named(h)["Upgrade"] {
		return ""
	}
	return h.Get("Upgrade")
}

// requestID returns the caller's X-Request-ID where it is sane, else a new one.
func requestID(h http.Header, now time.Time) string {
	id := h.Get("X-Request-Id")
	if len(id) == 0 || len(id) > 128 {
		return record.NewID(now).String()
	}
	for i := range len(id) {
		c := id[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.:/+=@", c) >= 0) {
			return record.NewID(now).String()
		}
	}
	return id
}

// forwarded returns the values of X-Forwarded-For and X-Forwarded-Proto. What
// the caller claims counts only where it sits on this machine, as a TLS proxy does.
func forwarded(r *http.Request) (client, proto string) {
	proto = "http"
	if r.TLS != nil {
		proto = "https"
	}
	client, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr, proto
	}
	before, claimed := r.Header["X-Forwarded-For"], r.Header.Get("X-Forwarded-Proto")
	if len(before) == 0 && claimed == "" {
		return client, proto
	}
	if addr, err := netip.ParseAddr(client); err != nil || !addr.Unmap().IsLoopback() {
		return client, proto
	}
	if claimed == "https" || claimed == "http" {
		proto = claimed
	}
	if len(before) > 0 {
		client = strings.Join(before, ", ") + ", " + client
	}
	return client, proto
}

// appSays is what an app tells about a request in private response headers.
type appSays struct {
	route, exc string
	taken      time.Time     // when a worker took the request; zero: unknown
	cpu, db    record.Number // milliseconds; db is unknown where no call was made
}

// parsePrivate reads the private headers of a response. What cannot be read is
// unknown.
func parsePrivate(h http.Header) appSays {
	says := appSays{exc: percentDecoded(h.Get("X-Kurama-Exc"), 16<<10)}
	taken, rest, _ := strings.Cut(h.Get("X-Kurama-Request"), " ")
	cpu, rest, _ := strings.Cut(rest, " ")
	db, route, _ := strings.Cut(rest, " ")
	if n, ok := nanoseconds(taken); ok {
		says.taken = time.Unix(0, n)
	}
	if n, ok := nanoseconds(cpu); ok {
		says.cpu = milliseconds(n)
	}
	if n, ok := nanoseconds(db); ok && n > 0 {
		says.db = milliseconds(n)
	}
	says.route = percentDecoded(route, 512)
	return says
}

func percentDecoded(value string, most int) string {
	if len(value) > most {
		value = value[:most]
	}
	if strings.IndexByte(value, '%') >= 0 {
		if plain, err := url.PathUnescape(value); err == nil {
			value = plain
		}
	}
	return strings.ToValidUTF8(value, "\uFFFD")
}

func nanoseconds(value string) (int64, bool) {
	n, err := strconv.ParseInt(value, 10, 64)
	return n, err == nil && n >= 0
}

// milliseconds keeps microseconds, which is as exact as an app's clocks are.
func milliseconds(ns int64) record.Number { return record.Num(float64(ns/1000) / 1000) }
