package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"kurama/internal/config"
	"kurama/paas"
)

const slackMark = "slack:"

// hook is a receiver that is asked over HTTP.
type hook struct {
	address string
	slack   bool // Slack's form, which Mattermost and others take too
}

// hookOf reads a receiver; false where it is an e-mail address.
func hookOf(receiver string) (h hook, ok bool) {
	h.address, h.slack = strings.CutPrefix(receiver, slackMark)
	return h, strings.HasPrefix(h.address, "https://") || strings.HasPrefix(h.address, "http://")
}

func (h hook) receiver() string {
	if h.slack {
		return slackMark + h.address
	}
	return h.address
}

// check returns a *paas.Invalid for an address that cannot be asked.
func (h hook) check() error {
	u, err := url.Parse(h.address)
	if err != nil || u.Hostname() == "" || u.User != nil || len(h.address) > 500 {
		return &paas.Invalid{Reason: fmt.Sprintf("%q is no address of a webhook: write it as https://example.org/hook, without a name and password.", cut(h.address, 80))}
	}
	return nil
}

// hookBody is what a webhook gets, unless it is of Slack's form. Fields are
// added, never changed, within a version.
type hookBody struct {
	Version int             `json:"version"` // 1
	ID      string          `json:"id"`      // of the message: the same where it comes twice
	Kind    string          `json:"kind"`    // firing, resolved, test, release
	Tenant  string          `json:"tenant"`
	App     string          `json:"app"`
	Alert   string          `json:"alert"` // id of the alert; empty where it is about a release
	Subject string          `json:"subject"`
	Text    string          `json:"text"`
	At      time.Time       `json:"at"`
	Release json.RawMessage `json:"release,omitempty"` // a toldRelease
}

// body returns the JSON that h gets for a message.
func (h hook) body(l letter) ([]byte, error) {
	if h.slack {
		return json.Marshal(map[string]string{"text": "*" + l.subject + "*\n" + l.text})
	}
	return json.Marshal(hookBody{Version: 1, ID: l.id, Kind: l.kind, Tenant: l.tenant, App: l.app, Alert: l.rule, Subject: l.subject, Text: l.text, At: l.createdAt, Release: l.release})
}

// errInternal says that an address is one of the platform's own network.
var errInternal = errors.New("this is an internal address, which webhooks may not reach; the operator can allow it in alert.webhook_allow")

// post hands the message over. A nil error means that it was taken. Errors:
// *refusal where it never will be, others that may pass.
func (h hook) post(ctx context.Context, l letter, allow config.Networks, timeout time.Duration) error {
	body, err := h.body(l)
	if err != nil {
		return &refusal{err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.address, bytes.NewReader(body))
	if err != nil {
		return &refusal{err}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Kurama")
	req.Header.Set("Idempotency-Key", l.id)
	transport := &http.Transport{DialContext: guarded(allow, timeout).DialContext, DisableKeepAlives: true, TLSHandshakeTimeout: timeout}
	client := &http.Client{Transport: transport, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	switch {
	case errors.Is(err, errInternal):
		return &refusal{errInternal}
	case err != nil:
		return hideAddress(err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // what it says is not for us
	switch s := resp.StatusCode; {
	case s < 300:
		return nil
	case s >= 500 || s == http.StatusTooManyRequests || s == http.StatusRequestTimeout:
		return fmt.Errorf("the webhook answered %s", resp.Status)
	}
	return &refusal{fmt.Errorf("the webhook answered %s", resp.Status)}
}

// hideAddress takes the address out of an error: it may hold a secret.
func hideAddress(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// guarded returns a dialer that reaches no internal address: what a name stands
// for is looked at when the connection is made, so that no name can change in
// between.
func guarded(allow config.Networks, timeout time.Duration) *net.Dialer {
	return &net.Dialer{Timeout: timeout, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%s: %w", address, errInternal)
		}
		if ip := at.Addr().Unmap(); !public(ip) && !allow.Contains(ip) {
			return errInternal
		}
		return nil
	}}
}

// Networks that are neither private nor public: carrier-grade NAT (RFC 6598),
// benchmarks (RFC 2544), "this network", IETF assignments, and IPv6 forms that
// hold an IPv4 address.
var special = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("::/96")}

// public reports whether an address is one of the internet.
func public(ip netip.Addr) bool {
	for _, p := range special {
		if p.Contains(ip) {
			return false
		}
	}
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast() && !ip.IsLoopback()
}
