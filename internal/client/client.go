// Package client talks to the API of Kurama: it is what the command line is
// made of.
package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	prefix      = "/api/v1"
	maxLine     = 16 << 20         // longest line of a stream, as the platform's own bound
	maxProblem  = 64 << 10         // bytes read of an answer that says what went wrong
	dialTimeout = 10 * time.Second // until a connection stands
)

// Client sends requests as one caller to one installation.
type Client struct {
	URL    string // of the console, without path
	Token  string // empty: nobody
	Tenant string // to act on; empty: the caller's own

	http *http.Client
}

// New returns a client of the installation at address.
func New(address, token, tenant string) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is not the address of an installation: write it as http://host:5001", address)
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ExpectContinueTimeout: 2 * time.Second,
		DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext, TLSHandshakeTimeout: dialTimeout, ForceAttemptHTTP2: true}
	return &Client{URL: strings.TrimSuffix(u.Scheme+"://"+u.Host+u.Path, "/"), Token: token, Tenant: tenant,
		http: &http.Client{Transport: transport}}, nil
}

// Problem is what the API says when it refuses.
type Problem struct {
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Text   string `json:"text"` // what was sent, where the problem is about a place in it
	At     int    `json:"at"`   // that place, in characters from 1; 0: none
	Whole  int64  `json:"-"`    // status 416: bytes of the file that a part was asked of; -1: not told
}

// Error returns the sentence, with a caret below the place that it is about, and
// for a caller who is nobody what to do.
func (p *Problem) Error() string {
	if p.Status == http.StatusUnauthorized {
		return p.Detail + " Run `kurama login`, or set KURAMA_TOKEN."
	}
	if p.Text != "" && p.At > 0 {
		return fmt.Sprintf("%s\n  %s\n  %s^", p.Detail, p.Text, strings.Repeat(" ", p.At-1))
	}
	return p.Detail
}

// Call sends in as JSON, unless it is nil, and reads the answer into out,
// unless that is nil. It returns *Problem when the API refuses.
func (c *Client) Call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	var body io.Reader
	header := http.Header{}
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("writing the request: %w", err)
		}
		body = bytes.NewReader(text)
		header.Set("Content-Type", "application/json")
	}
	return c.call(ctx, method, path, query, body, header, out)
}

func (c *Client) call(ctx context.Context, method, path string, query url.Values, body io.Reader, header http.Header, out any) error {
	resp, err := c.Do(ctx, method, path, query, body, header)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if out == nil || resp.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", c.URL, err)
	}
	return nil
}

// Lines calls fn with each line of an NDJSON answer; fn does not keep it.
func (c *Client) Lines(ctx context.Context, method, path string, query url.Values, in any, fn func(line []byte) error) error {
	header := http.Header{}
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("writing the request: %w", err)
		}
		body = bytes.NewReader(text)
		header.Set("Content-Type", "application/json")
	}
	resp, err := c.Do(ctx, method, path, query, body, header)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for lines.Scan() {
		if err := fn(lines.Bytes()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("the answer of %s broke off: %w", c.URL, err)
	}
	return nil
}

// Upload is a body with what is known about it.
type Upload struct {
	Body        io.Reader
	Size        int64 // bytes
	ContentType string
	FileName    string
}

// Send posts an upload and reads the answer into out. The body is not sent
// when the API refuses it by its size or its sender.
func (c *Client) Send(ctx context.Context, path string, up Upload, out any) error {
	header := http.Header{"Content-Type": {up.ContentType}, "X-Filename": {url.PathEscape(up.FileName)}, "Expect": {"100-continue"}}
	return c.call(ctx, http.MethodPost, path, nil, sized{up.Body, up.Size}, header, out)
}

// sized tells Do how long a body is.
type sized struct {
	io.Reader
	size int64
}

// Resume says which part of a download is there already: its first Bytes bytes,
// of the state that has the entity tag Tag. The zero value stands for none.
type Resume struct {
	Bytes int64
	Tag   string
}

// Answer is the head of a download.
type Answer struct {
	Name    string // file name that the API suggests
	Tag     string // entity tag, to go on with; empty: none
	Resumed bool   // the body goes on after Resume.Bytes; else it is the whole
	Size    int64  // bytes of the body; -1: not known
}

// Download writes the answer to what open returns, and returns how many bytes
// it wrote. An answer that is cut off is an error.
func (c *Client) Download(ctx context.Context, path string, query url.Values, from Resume, open func(Answer) (io.Writer, error)) (int64, error) {
	header := http.Header{}
	if from.Bytes > 0 && from.Tag != "" {
		header.Set("Range", fmt.Sprintf("bytes=%d-", from.Bytes))
		header.Set("If-Range", from.Tag)
	}
	resp, err := c.Do(ctx, http.MethodGet, path, query, nil, header)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, params, _ := mime.ParseMediaType(resp.Header.Get("Content-Disposition"))
	w, err := open(Answer{Name: params["filename"], Tag: resp.Header.Get("ETag"), Resumed: resp.StatusCode == http.StatusPartialContent, Size: resp.ContentLength})
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(w, resp.Body)
	if err != nil {
		return n, &BrokenOff{Bytes: n, Err: err}
	}
	return n, nil
}

// BrokenOff is an answer that ended before its end.
type BrokenOff struct {
	Bytes int64 // that came
	Err   error
}

// Error tells how far it came.
func (b *BrokenOff) Error() string {
	return fmt.Sprintf("the download broke off after %d bytes: %v", b.Bytes, b.Err)
}

// Unwrap returns what broke it.
func (b *BrokenOff) Unwrap() error { return b.Err }

// Do sends a request and returns an answer that is none of a refusal. The
// caller closes its body.
func (c *Client) Do(ctx context.Context, method, path string, query url.Values, body io.Reader, header http.Header) (*http.Response, error) {
	if c.Tenant != "" {
		if query == nil {
			query = url.Values{}
		}
		query.Set("tenant", c.Tenant)
	}
	target := c.URL + prefix + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", c.URL, err)
	}
	for key, values := range header {
		r.Header[key] = values
	}
	if s, ok := body.(sized); ok {
		r.ContentLength = s.size
	}
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		defer func() { _ = resp.Body.Close() }()
		return nil, problemOf(resp)
	}
	return resp, nil
}

func problemOf(resp *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	p := Problem{Status: resp.StatusCode, Whole: wholeOf(resp.Header.Get("Content-Range"))}
	if json.Unmarshal(text, &p) != nil || p.Detail == "" {
		p.Detail = fmt.Sprintf("%s answered %s, which Kurama does not say. Is this the address of a Kurama console?", resp.Request.URL.Host, resp.Status)
	}
	return &p
}

// wholeOf reads how long a file is from the Content-Range of an answer that
// gives no part of it (RFC 9110, 14.4); -1: it does not say.
func wholeOf(contentRange string) int64 {
	text, ok := strings.CutPrefix(contentRange, "bytes */")
	n, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil || n < 0 {
		return -1
	}
	return n
}

// unreachable says what to do when nobody answers.
func (c *Client) unreachable(ctx context.Context, err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("Kurama does not answer at %s: the connection was refused. Start it with `kurama up`, or set KURAMA_URL", c.URL)
	}
	return fmt.Errorf("Kurama does not answer at %s: %w. Look at KURAMA_URL and the network", c.URL, err)
}
