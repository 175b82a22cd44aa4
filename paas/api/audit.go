package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// Auditor keeps who did what.
type Auditor interface {
	Note(ctx context.Context, d paas.Deed) error
	Deeds(ctx context.Context, f paas.DeedFilter) ([]paas.Deed, error)
}

// DeedView is a line of the audit log with what its action means.
type DeedView struct {
	paas.Deed
	Summary string `json:"summary" doc:"What the action does"`
}

type deedList struct {
	Deeds  []DeedView `json:"deeds"`
	Before int64      `json:"before" doc:"Parameter for the next page; 0: this is the last"`
}

type deedQuery struct {
	InTenant
	All     bool      `query:"all" doc:"Of all tenants and of none; operators only"`
	Who     string    `query:"who" maxLength:"100"`
	Action  string    `query:"action" maxLength:"100"`
	App     string    `query:"app" maxLength:"100"`
	Refused bool      `query:"refused" doc:"Only what was refused or failed"`
	From    time.Time `query:"from"`
	To      time.Time `query:"to"`
	Before  int64     `query:"before" minimum:"0"`
	Limit   int       `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (a *API) auditRoutes() {
	register(a, huma.Operation{OperationID: "list-audit", Method: http.MethodGet, Path: "/audit", Summary: "Show who did what, newest first"},
		paas.RoleOwner, func(ctx context.Context, in *deedQuery) (*answer[deedList], error) {
			c := callOf(ctx)
			if in.All && c.Role != paas.RoleOperator {
				return nil, forbidden("Only operators see the audit log of all tenants.")
			}
			deeds, err := a.deps.Audit.Deeds(ctx, paas.DeedFilter{Tenant: c.tenant, All: in.All, Who: in.Who, Action: in.Action,
				App: in.App, Refused: in.Refused, From: in.From, To: in.To, Before: in.Before, Limit: in.Limit})
			list := deedList{Deeds: make([]DeedView, len(deeds))}
			for i, d := range deeds {
				list.Deeds[i] = DeedView{d, a.summaries[d.Action]}
			}
			if len(deeds) == in.Limit {
				list.Before = deeds[len(deeds)-1].ID
			}
			return reply(list), err
		})
}

// notedReads are the reads that the audit log tells of: what they return is
// worth as much as a change, or they sign somebody in, or only look like one.
var notedReads = []string{"get-env", "get-database-url", "finish-oidc", "open-terminal", "open-tunnel"}

// noteTimeout bounds the write of a line after its answer.
const noteTimeout = 5 * time.Second

// audited reports whether the audit log tells of op.
func audited(op *huma.Operation) bool {
	return op.Method != http.MethodGet || slices.Contains(notedReads, op.OperationID)
}

// note writes what came of a call, once. Calls of nobody are told only where they
// could have made somebody of them and were throttled: a line for each wrong
// request would be a way to push the others out.
func (a *API) note(c *call, status int) {
	if c.noted || !audited(c.op) || c.trial || c.User == "" && !c.weighed || status == http.StatusTooManyRequests {
		return
	}
	c.noted = true
	d := paas.Deed{At: c.begun, Tenant: c.tenant, Who: c.User, Action: c.op.OperationID, App: c.r.PathValue("app"),
		Target: strings.TrimPrefix(c.r.URL.Path, Prefix), Status: status, Detail: c.failure,
		Address: paas.ClientAddress(c.r.RemoteAddr, strings.Join(c.r.Header.Values("X-Forwarded-For"), ","), a.proxies).String()}
	switch {
	case c.Token != "":
		d.Via = "token " + c.Token
	case c.ViaCookie:
		d.Via = "session"
	}
	if d.Tenant == "" {
		d.Tenant = c.Identity.Tenant
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.r.Context()), noteTimeout)
	defer cancel()
	if err := a.deps.Audit.Note(ctx, d); err != nil {
		a.log.Error("the audit log was not written", "action", d.Action, "who", d.Who, "err", err)
	}
}
