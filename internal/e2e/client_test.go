package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// local reaches every name on this machine: resolvers do not know *.localhost.
var local = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
	MaxIdleConnsPerHost: 64,
	DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	},
}}

// get asks for url and wants 200.
func get(url string) error {
	_, err := text(url)
	return err
}

// text returns what url answers with 200.
func text(url string) (string, error) {
	res, err := local.Get(url)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.200s", url, res.Status, body)
	}
	return string(body), err
}
