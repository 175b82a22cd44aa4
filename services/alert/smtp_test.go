package alert

import (
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"testing"

	"kurama/internal/smtptest"
)

// sink is a mail server whose messages are read as a person's program does.
type sink struct {
	*smtptest.Server
	t *testing.T
}

type received struct {
	to, text, html string
	header         mail.Header
	picture        int // bytes of the inline picture, as encoded
}

// startSink serves on addr ("127.0.0.1:0" takes a free port) until the test
// ends.
func startSink(t *testing.T, addr string) (sink, *net.TCPAddr) {
	t.Helper()
	s := sink{Server: smtptest.Start(t, addr), t: t}
	return s, s.Addr
}

func (s sink) all() []received {
	s.t.Helper()
	var letters []received
	for _, taken := range s.All() {
		m, err := mail.ReadMessage(strings.NewReader(taken.Message))
		if err != nil {
			s.t.Fatalf("the mail cannot be read: %v", err)
		}
		l := received{to: taken.To, header: m.Header}
		l.part(s.t, m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
		letters = append(letters, l)
	}
	return letters
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

func (l received) subject() string {
	s, _ := (&mime.WordDecoder{}).DecodeHeader(l.header.Get("Subject"))
	return s
}
