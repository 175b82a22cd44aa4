package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"kurama/paas"
)

// InTenant is the parameter that every route takes: operators name a tenant
// with it, everybody else is bound to their own. It is exported because huma
// does not look into embedded structs that are not.
type InTenant struct {
	Tenant string `query:"tenant" doc:"Tenant to act on; only operators may name another than their own"`
}

// InApp is what the routes of one app take.
type InApp struct {
	InTenant
	App string `path:"app" doc:"Name of the app"`
}

// nothing is the answer of a route that has none.
type nothing struct{}

// answer is a JSON body.
type answer[T any] struct{ Body T }

func reply[T any](body T) *answer[T] { return &answer[T]{Body: body} }

// public is the need of a route that nobody has to sign in for.
const public paas.Role = ""

// register adds one route, that callers with the role need may use, to the API
// and to its description.
func register[I, O any](a *API, op huma.Operation, need paas.Role, handle func(context.Context, *I) (*O, error)) {
	op.Errors = []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusInternalServerError}
	if need != public {
		op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusForbidden)
		op.Security = []map[string][]string{{"token": {}}, {"session": {}}}
	}
	op.Extensions = map[string]any{"x-kurama-role": string(need)} // tests ask each route as each role
	a.summaries[op.OperationID] = op.Summary
	op.Middlewares = append(op.Middlewares, a.admit(&op, need))
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		// The body has been read: its deadline must not end the answer, which
		// may be a stream.
		_ = callOf(ctx).control().SetReadDeadline(time.Time{})
		out, err := handle(ctx, in)
		if err != nil {
			err = a.problem(ctx, err)
			callOf(ctx).failure = err.Error()
			return nil, err
		}
		return out, nil
	})
}

// call is one request with its caller, as the handlers see it.
type call struct {
	paas.Identity
	tenant  string // the tenant acted on
	failure string // the sentence of a refusal, for the audit log
	refused int    // status of a refusal that the answer does not tell
	weighed bool   // nobody's call that may fail so often only, as the throttle lets its address
	noted   bool   // the audit log has it
	trial   bool   // it asks whether something could be, and changes nothing
	op      *huma.Operation
	begun   time.Time
	r       *http.Request
	w       http.ResponseWriter
}

type callKey struct{}

func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

func (c *call) control() *http.ResponseController { return http.NewResponseController(c.w) }

// admit lets a request through to its handler when its caller may, and writes
// to the audit log what came of it.
func (a *API) admit(op *huma.Operation, need paas.Role) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(hc)
		seen := &statusWriter{ResponseWriter: w}
		c := &call{op: op, begun: time.Now(), r: r, w: seen}
		defer func() { a.note(c, cmp.Or(c.refused, seen.status, hc.Status(), http.StatusOK)) }()
		err := a.authorize(c, need)
		if err == nil && need != public {
			err = checkScope(c, op, need)
		}
		if err != nil {
			c.failure = a.writeProblem(seen, r, err)
			return
		}
		// Queries of the handler see the rows of this tenant only.
		bound := huma.WithContext(hc, paas.ForTenant(hc.Context(), c.tenant))
		next(huma.WithValue(bound, callKey{}, c))
	}
}
