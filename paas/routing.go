package paas

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Routing is how an app is reached, beside the names that it has anyway.
type Routing struct {
	Domains     []string `json:"-"`                     // domains that it asks for
	Active      []string `json:"-"`                     // those of them that lead to it; see Domain
	HTTPS       bool     `json:"https,omitempty"`       // requests without TLS are led to https://
	Maintenance bool     `json:"maintenance,omitempty"` // visitors get a page that says so
	Message     string   `json:"message,omitempty"`     // on that page; empty: the usual one
	User        string   `json:"user,omitempty"`        // of the basic password; empty: open to all
	Password    string   `json:"password,omitempty"`    // as HashBasic writes it
	Rate        float64  `json:"rate,omitempty"`        // requests per second of one client; 0: no bound
	Burst       int      `json:"burst,omitempty"`       // requests that one client may send at once
	Bounds
}

// Bounds are what a request may take of an app; 0 is the platform's own.
type Bounds struct {
	Timeout float64 `json:"timeout,omitempty"`  // s until the answer begins
	Idle    float64 `json:"idle,omitempty"`     // s of silence within an answer or a websocket; 0: no bound
	MaxBody int64   `json:"max_body,omitempty"` // bytes of a request's body
}

// Check returns *Invalid where b asks for more than most allows.
func (b Bounds) Check(most Bounds) error {
	wrong := func(format string, args ...any) error { return &Invalid{Reason: fmt.Sprintf(format, args...)} }
	switch {
	case b.Timeout < 0 || b.Timeout > most.Timeout:
		return wrong("A timeout of %g s cannot be: use 0 (the platform's) to %g s, which the operator allows (router.app_timeout).", b.Timeout, most.Timeout)
	case b.Idle < 0 || b.Idle > 0 && b.Idle < 1 || b.Idle > maxIdle:
		return wrong("An idle timeout of %g s cannot be: use 1 s to %g s, or 0 for none.", b.Idle, maxIdle)
	case b.MaxBody < 0 || b.MaxBody > most.MaxBody:
		return wrong("A largest body of %d bytes cannot be: use 0 (the platform's) to %d bytes, which the operator allows (router.app_body).", b.MaxBody, most.MaxBody)
	}
	return nil
}

// maxIdle is the longest idle timeout, s: beyond a day it bounds nothing.
const maxIdle = 86_400.0

// Bounds of an app's routing.
const (
	MaxDomains       = 20
	MaxMessage       = 300     // bytes
	MaxRate          = 100_000 // requests per second
	minBasicPassword = 12      // characters: it is checked on each request, so it is not stretched
)

// Check returns *Invalid with the reason why r cannot be an app's routing.
func (r Routing) Check(domain string, most Bounds) error {
	wrong := func(format string, args ...any) error { return &Invalid{Reason: fmt.Sprintf(format, args...)} }
	for _, host := range r.Domains {
		if err := CheckDomain(host, domain); err != nil {
			return err
		}
	}
	if err := r.Bounds.Check(most); err != nil {
		return err
	}
	switch {
	case len(r.Domains) > MaxDomains:
		return wrong("%d domains are too many: an app can have %d.", len(r.Domains), MaxDomains)
	case len(r.Message) > MaxMessage || !utf8.ValidString(r.Message):
		return wrong("The message has %d bytes: at most %d fit, in UTF-8.", len(r.Message), MaxMessage)
	case r.Rate < 0 || r.Rate > MaxRate || r.Burst < 0 || r.Burst > MaxRate:
		return wrong("A rate of %g with a burst of %d means nothing here: use 0 to %d.", r.Rate, r.Burst, MaxRate)
	case strings.ContainsAny(r.User, ":\x00") || len(r.User) > 100:
		return wrong("%q cannot be the name before a password: at most 100 characters, no colon.", r.User)
	case r.User != "" && r.Password == "":
		return wrong("A private app needs a password beside the name %q.", r.User)
	}
	return nil
}

// Gate returns what stands before the app.
func (r Routing) Gate() Gate {
	g := Gate{HTTPS: r.HTTPS, Maintenance: r.Maintenance, User: r.User, Password: r.Password, Rate: r.Rate, Burst: r.Burst}
	if r.Maintenance {
		g.Message = r.Message
	}
	return g
}

// HashBasic returns what is stored of a basic password: a random salt and the
// SHA-256 of both, in hex. It returns *Invalid for a short one.
func HashBasic(password string) (string, error) {
	if n := utf8.RuneCountInString(password); n < minBasicPassword || n > 200 {
		return "", &Invalid{Reason: fmt.Sprintf("The password has %d characters: use %d to 200, for it is all that stands before the app.", n, minBasicPassword)}
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	return hex.EncodeToString(salt) + ":" + basicSum(salt, password), nil
}

// MatchBasic reports whether password is the one that stored was made of.
func MatchBasic(stored, password string) bool {
	salt, sum, _ := strings.Cut(stored, ":")
	raw, err := hex.DecodeString(salt)
	return err == nil && subtle.ConstantTimeCompare([]byte(basicSum(raw, password)), []byte(sum)) == 1
}

func basicSum(salt []byte, password string) string {
	sum := sha256.Sum256(append(append([]byte{}, salt...), password...))
	return hex.EncodeToString(sum[:])
}
