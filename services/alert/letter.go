package alert

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/wneessen/go-mail"

	"kurama/internal/config"
	"kurama/paas"
)

// letter is a row of notifications on its way out.
type letter struct {
	id, kind, recipient, subject, text, html string
	tenant, app, rule                        string
	attempts                                 int
	createdAt                                time.Time
	release                                  json.RawMessage // nil: it is about none
}

const letterColumns = "id::text, kind, recipient, subject, body_text, body_html, attempts, created_at, tenant, app, coalesce(rule::text, ''), release"

func scanLetter(row pgx.CollectableRow) (l letter, err error) {
	err = row.Scan(&l.id, &l.kind, &l.recipient, &l.subject, &l.text, &l.html, &l.attempts, &l.createdAt, &l.tenant, &l.app, &l.rule, &l.release)
	return l, err
}

// inlinePicture is the picture inside body_html. Text of the app cannot look
// like it: its < is escaped.
var inlinePicture = regexp.MustCompile(`<img src="data:image/png;base64,([A-Za-z0-9+/=]+)"`)

// compose builds the message: plain text, HTML beside it, the picture attached
// inline. Its Message-ID is made from the row's id, so that a message which a
// server took twice can be recognised as one.
func (l letter) compose(from string) (*mail.Msg, error) {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := m.From(from); err != nil {
		return nil, fmt.Errorf("the sender %q: %w", from, err)
	}
	if err := m.To(l.recipient); err != nil {
		return nil, fmt.Errorf("the recipient %q: %w", l.recipient, err)
	}
	m.Subject(l.subject)
	m.SetDateWithValue(l.createdAt)
	m.SetMessageIDWithValue(l.id + "@kurama")
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader("X-Kurama-Alert", l.kind)
	m.SetBodyString(mail.TypeTextPlain, l.text)
	html := l.html
	for n, found := range inlinePicture.FindAllStringSubmatch(html, -1) {
		png, err := base64.StdEncoding.DecodeString(found[1])
		if err != nil {
			return nil, fmt.Errorf("the picture of message %s: %w", l.id, err)
		}
		name := chartName
		if n > 0 {
			name = fmt.Sprintf("%d-%s", n+1, chartName)
		}
		html = strings.Replace(html, found[0], `<img src="cid:`+name+`"`, 1)
		if err := m.EmbedReader(name, bytes.NewReader(png), mail.WithFileContentID(name), mail.WithFileContentType("image/png")); err != nil {
			return nil, fmt.Errorf("the picture of message %s: %w", l.id, err)
		}
	}
	m.AddAlternativeString(mail.TypeTextHTML, html)
	return m, nil
}

// eml returns the message as a file.
func (l letter) eml(from string) ([]byte, error) {
	if _, ok := hookOf(l.recipient); ok {
		return nil, &paas.Invalid{Reason: "This message went to a webhook: there is no mail of it."}
	}
	m, err := l.compose(from)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if _, err := m.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("writing message %s: %w", l.id, err)
	}
	return out.Bytes(), nil
}

// refusal is an error of the server about this very message: it will not be
// taken later either.
type refusal struct{ err error }

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// unreachable is an error before any message was offered.
type unreachable struct{ err error }

func (u *unreachable) Error() string { return u.err.Error() }
func (u *unreachable) Unwrap() error { return u.err }

// post hands the message to the server. A nil error means that the server has
// taken it. Errors: *refusal, *unreachable, and others that may pass.
func (l letter) post(ctx context.Context, cfg config.SMTP) error {
	m, err := l.compose(cfg.From)
	if err != nil {
		return &refusal{err}
	}
	client, err := mail.NewClient(cfg.Host, clientOptions(cfg)...)
	if err != nil {
		return &unreachable{fmt.Errorf("smtp settings: %w", err)}
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return &unreachable{fmt.Errorf("%s:%d: %w", cfg.Host, cfg.Port, err)}
	}
	err = client.SendWithSMTPClient(conn, m)
	_ = client.CloseWithSMTPClient(conn) // the outcome is known by now
	if m.IsDelivered() {
		return nil // what failed came after the server's 250
	}
	if sent, ok := errors.AsType[*mail.SendError](err); ok && sent.ErrorCode() >= 500 {
		return &refusal{err}
	}
	return err
}

func clientOptions(cfg config.SMTP) []mail.Option {
	opts := []mail.Option{mail.WithPort(cfg.Port), mail.WithTimeout(cfg.Timeout)}
	switch cfg.TLS {
	case "implicit":
		opts = append(opts, mail.WithSSL())
	case "opportunistic":
		opts = append(opts, mail.WithTLSPolicy(mail.TLSOpportunistic))
	case "none":
		opts = append(opts, mail.WithTLSPolicy(mail.NoTLS))
	default:
		opts = append(opts, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if cfg.User != "" {
		opts = append(opts, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(cfg.User), mail.WithPassword(cfg.Password.Reveal()))
	}
	return opts
}
