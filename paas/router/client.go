package router

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"kurama/paas"
)

// Client speaks to a router over its control socket.
type Client struct{ http *http.Client }

// NewClient returns a client of the router whose control socket is at path.
// Nothing is connected yet.
func NewClient(path string) *Client {
	return &Client{http: &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}},
	}}
}

// Apply puts t into force; when it returns nil, no request goes by the table
// before any more. It wraps paas.ErrConflict when the router has a newer table.
func (c *Client) Apply(ctx context.Context, t paas.Table) error {
	body, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("routing table %d: %w", t.Version, err)
	}
	status, answer, err := c.do(ctx, http.MethodPut, "/table", body)
	if err != nil {
		return fmt.Errorf("routing table %d: %w", t.Version, err)
	}
	switch status {
	case http.StatusNoContent:
		return nil
	case http.StatusConflict:
		return fmt.Errorf("%s: %w", strings.TrimSpace(string(answer)), paas.ErrConflict)
	}
	return fmt.Errorf("routing table %d: the router answered %d: %s", t.Version, status, bytes.TrimSpace(answer))
}

// InFlight returns the requests in flight per replica. A replica that left the
// table and is not listed has none.
func (c *Client) InFlight(ctx context.Context) (map[string]int, error) {
	counts := map[string]int{}
	if err := c.ask(ctx, "/inflight", &counts); err != nil {
		return nil, fmt.Errorf("requests in flight: %w", err)
	}
	return counts, nil
}

// Heard returns how often something came from each replica in the table since
// the router has known it.
func (c *Client) Heard(ctx context.Context) (map[string]int64, error) {
	counts := map[string]int64{}
	if err := c.ask(ctx, "/heard", &counts); err != nil {
		return nil, fmt.Errorf("signs of life: %w", err)
	}
	return counts, nil
}

func (c *Client) ask(ctx context.Context, path string, into any) error {
	status, answer, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("the router answered %d: %s", status, bytes.TrimSpace(answer))
	}
	return json.Unmarshal(answer, into)
}

func (c *Client) do(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://router"+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}
