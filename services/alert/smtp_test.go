package alert

import (
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// sink is a mail server that keeps what it takes.
type sink struct {
	mu      sync.Mutex
	letters []received
	refuse  []string // answers to the next RCPT commands; "" takes it
}

type received struct {
	to, text, html string
	header         mail.Header
	picture        int // bytes of the inline picture, as encoded
}

// startSink serves on addr ("127.0.0.1:0" takes a free port) until the test
// ends.
func startSink(t *testing.T, addr string) (*sink, *net.TCPAddr) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() { s.serve(t, conn) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); open.Wait() })
	return s, l.Addr().(*net.TCPAddr)
}

func (s *sink) serve(t *testing.T, conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	c := textproto.NewConn(conn)
	_ = c.PrintfLine("220 sink")
	to := ""
	for {
		line, err := c.ReadLine()
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		switch verb {
		case "EHLO", "HELO":
			_ = c.PrintfLine("250 sink")
		case "RCPT":
			if answer := s.answer(); answer != "" {
				_ = c.PrintfLine("%s", answer)
				continue
			}
			to = strings.Trim(strings.TrimPrefix(line[5:], "TO:"), "<>")
			_ = c.PrintfLine("250 ok")
		case "DATA":
			_ = c.PrintfLine("354 go on")
			s.take(t, to, c.DotReader())
			_ = c.PrintfLine("250 taken")
		case "QUIT":
			_ = c.PrintfLine("221 bye")
			return
		default:
			_ = c.PrintfLine("250 ok")
		}
	}
}

func (s *sink) answer() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.refuse) == 0 {
		return ""
	}
	a := s.refuse[0]
	s.refuse = s.refuse[1:]
	return a
}

func (s *sink) take(t *testing.T, to string, r io.Reader) {
	m, err := mail.ReadMessage(r)
	if err != nil {
		t.Errorf("the mail cannot be read: %v", err)
		return
	}
	l := received{to: to, header: m.Header}
	l.part(t, m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.letters = append(s.letters, l)
}

// part collects the leaves of a MIME tree.
func (l *received) part(t *testing.T, contentType, encoding string, body io.Reader) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Errorf("content type %q: %v", contentType, err)
		return
	}
	if strings.HasPrefix(kind, "multipart/") {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err != nil {
				return
			}
			l.part(t, p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p)
		}
	}
	if encoding == "quoted-printable" {
		body = quotedprintable.NewReader(body)
	}
	text, _ := io.ReadAll(body)
	switch kind {
	case "text/plain":
		l.text = string(text)
	case "text/html":
		l.html = string(text)
	case "image/png":
		l.picture = len(text)
	}
}

func (s *sink) all() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.letters...)
}

func (l received) subject() string {
	s, _ := (&mime.WordDecoder{}).DecodeHeader(l.header.Get("Subject"))
	return s
}
