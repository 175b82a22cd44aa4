package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// Tokens makes and takes back tokens; a creator that is not empty narrows the
// last two to that person's own.
type Tokens interface {
	CreateToken(ctx context.Context, t paas.Token) (paas.Token, string, error)
	Tokens(ctx context.Context, tenant, creator string) ([]paas.Token, error)
	DeleteToken(ctx context.Context, tenant, id, creator string) error
}

type tokenList struct {
	Tokens []paas.Token `json:"tokens"`
}

type newToken struct {
	InTenant
	Body struct {
		Name      string       `json:"name"`
		Role      paas.Role    `json:"role,omitempty" doc:"At most one's own; without it one's own, but no more than developer"`
		Scopes    []paas.Scope `json:"scopes,omitempty" maxItems:"10" doc:"What it may do of what the role may: read, deploy, env, run, live (the live dashboard); without any, all of it"`
		App       string       `json:"app,omitempty" doc:"The one app it is for; without it, each"`
		ExpiresIn int64        `json:"expires_in,omitempty" minimum:"1" maximum:"3155760000" doc:"Seconds; without it the token does not expire"`
	}
}

type shownToken struct {
	paas.Token
	Secret string `json:"token" doc:"The token itself, shown this once"`
}

func (a *API) tokenRoutes() {
	register(a, huma.Operation{OperationID: "list-tokens", Method: http.MethodGet, Path: "/tokens",
		Summary: "List tokens: owners see the tenant's, everybody else their own"},
		paas.RoleViewer, func(ctx context.Context, _ *InTenant) (*answer[tokenList], error) {
			tokens, err := a.deps.Tokens.Tokens(ctx, callOf(ctx).tenant, ownOnly(callOf(ctx)))
			return reply(tokenList{tokens}), err
		})
	register(a, huma.Operation{OperationID: "create-token", Method: http.MethodPost, Path: "/tokens", Summary: "Make a token of at most one's own role",
		DefaultStatus: http.StatusCreated}, paas.RoleViewer, a.createToken)
	register(a, huma.Operation{OperationID: "delete-token", Method: http.MethodDelete, Path: "/tokens/{id}", Summary: "Take a token back"},
		paas.RoleViewer, func(ctx context.Context, in *struct {
			InTenant
			ID string `path:"id"`
		}) (*nothing, error) {
			return nil, a.deps.Tokens.DeleteToken(ctx, callOf(ctx).tenant, in.ID, ownOnly(callOf(ctx)))
		})
}

func ownOnly(c *call) string {
	if c.Role.Includes(paas.RoleOwner) {
		return ""
	}
	return c.User
}

func (a *API) createToken(ctx context.Context, in *newToken) (*answer[shownToken], error) {
	c := callOf(ctx)
	role := in.Body.Role
	if role == "" {
		role = usualRole(c.Role)
	}
	if err := mayGive(c, role); err != nil {
		return nil, err
	}
	t := paas.Token{Tenant: c.tenant, Name: in.Body.Name, Role: role, CreatedBy: c.User, Scopes: in.Body.Scopes, App: in.Body.App}
	if t.App != "" {
		// An app that is yet to be made may be named: its first deploy makes it.
		if err := paas.CheckName("an app", t.App); err != nil {
			return nil, &paas.Invalid{Reason: err.Error()}
		}
	}
	if in.Body.ExpiresIn > 0 {
		at := time.Now().Add(time.Duration(in.Body.ExpiresIn) * time.Second)
		t.ExpiresAt = &at
	}
	stored, secret, err := a.deps.Tokens.CreateToken(ctx, t)
	return reply(shownToken{stored, secret}), err
}

// usualRole is what a token may do unless its maker says otherwise: what the
// maker may, but no more than a script mostly needs.
func usualRole(maker paas.Role) paas.Role {
	if maker.Includes(paas.RoleDeveloper) {
		return paas.RoleDeveloper
	}
	return maker
}
