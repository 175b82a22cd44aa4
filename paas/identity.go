package paas

import (
	"errors"
	"fmt"
	"time"
)

// ErrDenied says that nobody known is asking: no or wrong credentials.
var ErrDenied = errors.New("not signed in")

// Throttled says that too many sign-ins from an address have failed of late.
type Throttled struct{ RetryAfter time.Duration }

// Error returns the sentence that is shown to whoever tried.
func (e *Throttled) Error() string {
	return fmt.Sprintf("Too many sign-ins from your address failed. Try again in %d s.", e.Seconds())
}

// Seconds returns the time to wait in whole seconds, at least 1.
func (e *Throttled) Seconds() int {
	return max(1, int((e.RetryAfter+time.Second-1)/time.Second))
}

// Identity is who asks: a person with a session, or a token.
type Identity struct {
	Tenant    string
	User      string // name of the person, or of the one who made the token
	Role      Role
	CSRF      string // of the session; empty for a token
	ViaCookie bool   // a browser sent it by itself: writes need the CSRF token

	Token  string  // name of the token that was sent; empty for a session
	Scopes []Scope // of the token; empty: all that the role may
	App    string  // the one app that the token is for; empty: each
}

// rank orders the roles; 0 is no role at all.
var rank = map[Role]int{RoleViewer: 1, RoleDeveloper: 2, RoleOwner: 3, RoleOperator: 4}

// Known reports whether r is one of the roles.
func (r Role) Known() bool { return rank[r] > 0 }

// Includes reports whether r may do all that other may.
func (r Role) Includes(other Role) bool { return r.Known() && rank[r] >= rank[other] }

// Tenant is a customer of the platform, with apps of its own.
type Tenant struct {
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	Apps      int       `json:"apps"`
}

// User is a person who may sign in.
type User struct {
	Name      string    `json:"name"`
	Tenant    string    `json:"tenant"`
	Role      Role      `json:"role"`
	Email     string    `json:"email,omitempty"`
	CreatedAt time.Time `json:"created_at"`
}

// Token is what a script signs in with; the secret itself is shown once.
type Token struct {
	ID        string     `json:"id"`
	Tenant    string     `json:"tenant"`
	Name      string     `json:"name"`
	Role      Role       `json:"role"`
	Scopes    []Scope    `json:"scopes,omitempty"` // what it may do of what the role may; empty: all
	App       string     `json:"app,omitempty"`    // the one app it is for; empty: each
	CreatedBy string     `json:"created_by"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	UsedAt    *time.Time `json:"used_at,omitempty"`
}
