package paas

import "slices"

// Scope is a part of what a role may do, which a token can be bound to.
type Scope string

// The scopes. A token without any may do all that its role may.
const (
	ScopeRead   Scope = "read"   // look at everything that holds no secret
	ScopeDeploy Scope = "deploy" // upload, roll back, and look at apps and releases
	ScopeEnv    Scope = "env"    // read and replace an app's settings
	ScopeRun    Scope = "run"    // run commands beside an app
	ScopeLive   Scope = "live"   // watch the live dashboard, and nothing else: a share link
)

// Scopes lists all scopes.
var Scopes = []Scope{ScopeRead, ScopeDeploy, ScopeEnv, ScopeRun, ScopeLive}

// Known reports whether s is one of the scopes.
func (s Scope) Known() bool { return slices.Contains(Scopes, s) }

// Bound reports whether the caller's credentials allow less than their role.
func (id Identity) Bound() bool { return len(id.Scopes) > 0 || id.App != "" }

// Has reports whether the caller's credentials allow what any of the scopes
// stands for. Credentials without scopes allow everything.
func (id Identity) Has(any ...Scope) bool {
	return len(id.Scopes) == 0 || slices.ContainsFunc(any, func(s Scope) bool { return slices.Contains(id.Scopes, s) })
}
