package paas

import "time"

// Invitation lets somebody make their own account in a tenant, once.
type Invitation struct {
	ID         string     `json:"id"`
	Tenant     string     `json:"tenant"`
	Email      string     `json:"email"` // empty: the link was not sent
	Role       Role       `json:"role"`
	CreatedBy  string     `json:"created_by"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  time.Time  `json:"expires_at"`
	AcceptedAt *time.Time `json:"accepted_at,omitempty"`
	AcceptedBy string     `json:"accepted_by,omitempty"`
}

// Deed is one line of the audit log: who did what, from where, and what came
// of it.
type Deed struct {
	ID      int64     `json:"id"`
	At      time.Time `json:"at"`
	Tenant  string    `json:"tenant"` // empty: nobody's, as of a sign-in with a name that does not exist
	Who     string    `json:"who"`
	Via     string    `json:"via"` // session, token NAME, or empty
	Address string    `json:"address"`
	Action  string    `json:"action"` // operation of the API
	App     string    `json:"app,omitempty"`
	Target  string    `json:"target"` // path below /api/v1
	Status  int       `json:"status"` // of the answer
	Detail  string    `json:"detail,omitempty"`
}

// DeedFilter narrows the audit log; an empty field does not. Before is the ID
// of the last deed of the page before, 0 for the first page.
type DeedFilter struct {
	Tenant   string // ignored with AllTenants
	All      bool   // deeds of all tenants, and of none
	Who      string
	Action   string
	App      string
	Refused  bool // only those answered with 400 and above
	From, To time.Time
	Before   int64
	Limit    int
}
