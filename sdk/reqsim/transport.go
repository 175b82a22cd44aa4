package reqsim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// transport bounds each request by the plan's time-out, ends all when stop
// ends, and turns errors into the few words of their kind.
type transport struct {
	next    http.RoundTripper
	stop    context.Context
	timeout time.Duration
}

// newTransport makes the transport of a run. Redirects are answers like others:
// the requests sent are then the requests that the app counts.
func newTransport(p Plan, stop context.Context) (http.RoundTripper, func()) {
	base := &http.Transport{
		DialContext: dial, Proxy: proxy, DisableCompression: true,
		MaxIdleConns: p.MaxInFlight, MaxIdleConnsPerHost: p.MaxInFlight, IdleConnTimeout: 30 * time.Second,
	}
	return &transport{next: base, stop: stop, timeout: p.Timeout}, base.CloseIdleConnections
}

// dial connects. Names below localhost are this machine, whatever the
// resolver says: on many systems it knows localhost alone.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err == nil && isLocal(host) {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	return (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, network, address)
}

func isLocal(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// proxy leaves this machine's own names out of the proxy's way.
func proxy(r *http.Request) (*url.URL, error) {
	if isLocal(r.URL.Hostname()) {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}

// RoundTrip sends one request, once: the library would send it again on a new
// connection where the other side closes the first without an answer, and the
// failure would not be seen.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(t.stop, t.timeout)
	var sent, again atomic.Bool
	trace := &httptrace.ClientTrace{
		WroteHeaders: func() { sent.Store(true) },
		GetConn: func(string) {
			if sent.Load() {
				again.Store(true)
				cancel()
			}
		},
	}
	res, err := t.next.RoundTrip(r.WithContext(httptrace.WithClientTrace(ctx, trace)))
	if err != nil {
		defer cancel()
		if again.Load() {
			return nil, errClosed
		}
		return nil, t.kind(ctx, err)
	}
	res.Body = &body{ReadCloser: res.Body, ctx: ctx, cancel: cancel, t: t}
	return res, nil
}

// body ends the request's time-out when it is closed.
type body struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelFunc
	t      *transport
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = b.t.kind(b.ctx, err)
	}
	return n, err
}

func (b *body) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// errStopped marks a request that the end of the run cut short.
var errStopped = errors.New("stopped")

// errClosed is the kind of a request whose connection ended without an answer.
var errClosed = errors.New("connection closed by the other side")

// kind returns an error whose text is the kind of err.
func (t *transport) kind(ctx context.Context, err error) error {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case t.stop.Err() != nil:
		return errStopped
	case ctx.Err() != nil:
		return fmt.Errorf("no whole answer within %s", t.timeout)
	case errors.As(err, &dns):
		return fmt.Errorf("the name %s is not known", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("connection refused")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errClosed
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.EADDRNOTAVAIL):
		return errors.New("this machine has no file or port left for another connection")
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("no connection in time")
	}
	return errors.New(err.Error())
}
