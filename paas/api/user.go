package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// Users makes and removes the people of a tenant.
type Users interface {
	User(ctx context.Context, tenant, name string) (paas.User, error)
	Users(ctx context.Context, tenant string) ([]paas.User, error)
	CreateUser(ctx context.Context, u paas.User, password string) (paas.User, error)
	SetRole(ctx context.Context, tenant, name string, role paas.Role) (paas.User, error)
	DeleteUser(ctx context.Context, tenant, name string) error
}

type userList struct {
	Users []paas.User `json:"users"`
}

type newUser struct {
	InTenant
	Body struct {
		Name     string    `json:"name"`
		Role     paas.Role `json:"role"`
		Password string    `json:"password"`
	}
}

// OneUser is what the routes of one user take.
type OneUser struct {
	InTenant
	Name string `path:"name"`
}

func (a *API) userRoutes() {
	register(a, huma.Operation{OperationID: "list-users", Method: http.MethodGet, Path: "/users", Summary: "List the users of the tenant"},
		paas.RoleOwner, func(ctx context.Context, _ *InTenant) (*answer[userList], error) {
			users, err := a.deps.Users.Users(ctx, callOf(ctx).tenant)
			return reply(userList{users}), err
		})
	register(a, huma.Operation{OperationID: "create-user", Method: http.MethodPost, Path: "/users", Summary: "Make a user of the tenant",
		DefaultStatus: http.StatusCreated}, paas.RoleOwner, a.createUser)
	register(a, huma.Operation{OperationID: "set-role", Method: http.MethodPut, Path: "/users/{name}",
		Summary: "Give a user another role; takes back the tokens and open invitations they made that may more"}, paas.RoleOwner, a.setRole)
	register(a, huma.Operation{OperationID: "delete-user", Method: http.MethodDelete, Path: "/users/{name}",
		Summary: "Remove a user with their sessions, tokens and open invitations"}, paas.RoleOwner, a.deleteUser)
}

func (a *API) createUser(ctx context.Context, in *newUser) (*answer[paas.User], error) {
	c := callOf(ctx)
	if err := mayGive(c, in.Body.Role); err != nil {
		return nil, err
	}
	u, err := a.deps.Users.CreateUser(ctx, paas.User{Name: in.Body.Name, Tenant: c.tenant, Role: in.Body.Role}, in.Body.Password)
	return reply(u), err
}

func (a *API) deleteUser(ctx context.Context, in *OneUser) (*nothing, error) {
	u, err := a.lesser(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	return nil, a.deps.Users.DeleteUser(ctx, u.Tenant, u.Name)
}

func (a *API) setRole(ctx context.Context, in *struct {
	OneUser
	Body struct {
		Role paas.Role `json:"role"`
	}
}) (*answer[paas.User], error) {
	if err := mayGive(callOf(ctx), in.Body.Role); err != nil {
		return nil, err
	}
	u, err := a.lesser(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	u, err = a.deps.Users.SetRole(ctx, u.Tenant, u.Name, in.Body.Role)
	return reply(u), err
}

// lesser returns a user of the tenant whose role is not above the caller's.
func (a *API) lesser(ctx context.Context, name string) (paas.User, error) {
	c := callOf(ctx)
	u, err := a.deps.Users.User(ctx, c.tenant, name)
	if err == nil && !c.Role.Includes(u.Role) {
		err = forbidden(fmt.Sprintf("%s has the role %s, which is above yours.", u.Name, u.Role))
	}
	return u, err
}

// mayGive keeps callers from making somebody mightier than they are. An
// operator is one of the default tenant's: their power is not a tenant's.
func mayGive(c *call, role paas.Role) error {
	switch {
	case !role.Known():
		return &paas.Invalid{Reason: fmt.Sprintf("%q is not a role: use owner, developer or viewer", role)}
	case !c.Role.Includes(role):
		return forbidden(fmt.Sprintf("You cannot give the role %s; yours is %s.", role, c.Role))
	case role == paas.RoleOperator && c.tenant != paas.DefaultTenant:
		return &paas.Invalid{Reason: fmt.Sprintf("Operators belong to tenant %s, not to %s", paas.DefaultTenant, c.tenant)}
	}
	return nil
}
