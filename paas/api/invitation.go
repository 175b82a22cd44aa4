package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// Invitations lets people make their own accounts.
type Invitations interface {
	// Invite returns the invitation with its link, which is shown this once.
	Invite(ctx context.Context, i paas.Invitation) (paas.Invitation, string, error)
	Invitations(ctx context.Context, tenant string) ([]paas.Invitation, error)
	DeleteInvitation(ctx context.Context, tenant, id string) error
	// Invitation returns the open one that the secret of a link is for.
	Invitation(ctx context.Context, secret string) (paas.Invitation, error)
	// Accept makes a person of it and signs them in, or returns
	// *paas.Throttled.
	Accept(w http.ResponseWriter, r *http.Request, secret, name, password string) (paas.Identity, error)
}

type invitationList struct {
	Invitations []paas.Invitation `json:"invitations"`
}

type newInvitation struct {
	InTenant
	Body struct {
		Email     string    `json:"email,omitempty" maxLength:"254" doc:"Where the link is sent; without it, hand the link over yourself"`
		Role      paas.Role `json:"role"`
		ExpiresIn int64     `json:"expires_in,omitempty" minimum:"60" maximum:"31536000" doc:"Seconds; without it console.invite_age"`
	}
}

type shownInvitation struct {
	paas.Invitation
	Link string `json:"link" doc:"Where the invitation is accepted, shown this once"`
}

// invitationPreview is what somebody with a link may know before they join.
type invitationPreview struct {
	Tenant    string    `json:"tenant"`
	Role      paas.Role `json:"role"`
	Email     string    `json:"email"`
	InvitedBy string    `json:"invited_by"`
	ExpiresAt time.Time `json:"expires_at"`
}

type lookRequest struct {
	Body struct {
		Secret string `json:"secret" maxLength:"100" doc:"Last part of the link"`
	}
}

type acceptRequest struct {
	Body struct {
		Secret   string `json:"secret" maxLength:"100" doc:"Last part of the link"`
		Name     string `json:"name"`
		Password string `json:"password"`
	}
}

func (a *API) invitationRoutes() {
	register(a, huma.Operation{OperationID: "list-invitations", Method: http.MethodGet, Path: "/invitations", Summary: "List invitations, newest first"},
		paas.RoleOwner, func(ctx context.Context, _ *InTenant) (*answer[invitationList], error) {
			list, err := a.deps.Invitations.Invitations(ctx, callOf(ctx).tenant)
			return reply(invitationList{list}), err
		})
	register(a, huma.Operation{OperationID: "create-invitation", Method: http.MethodPost, Path: "/invitations",
		Summary: "Invite somebody to the tenant, by mail or by a link", DefaultStatus: http.StatusCreated}, paas.RoleOwner, a.invite)
	register(a, huma.Operation{OperationID: "delete-invitation", Method: http.MethodDelete, Path: "/invitations/{id}", Summary: "Take an invitation back"},
		paas.RoleOwner, func(ctx context.Context, in *struct {
			InTenant
			ID string `path:"id"`
		}) (*nothing, error) {
			return nil, a.deps.Invitations.DeleteInvitation(ctx, callOf(ctx).tenant, in.ID)
		})
	register(a, huma.Operation{OperationID: "look-at-invitation", Method: http.MethodPost, Path: "/invitation", Summary: "Show what an invitation is for"},
		public, func(ctx context.Context, in *lookRequest) (*answer[invitationPreview], error) {
			i, err := a.deps.Invitations.Invitation(ctx, in.Body.Secret)
			return reply(invitationPreview{i.Tenant, i.Role, i.Email, i.CreatedBy, i.ExpiresAt}), err
		})
	register(a, huma.Operation{OperationID: "accept-invitation", Method: http.MethodPost, Path: "/invitation/accept",
		Summary: "Make an account of an invitation, and sign in", DefaultStatus: http.StatusCreated},
		public, func(ctx context.Context, in *acceptRequest) (*answer[Session], error) {
			c := callOf(ctx)
			c.weighed = true // the name is a claim: it is not noted before the person is there
			id, err := a.deps.Invitations.Accept(c.w, c.r, in.Body.Secret, in.Body.Name, in.Body.Password)
			if err != nil {
				return nil, err
			}
			c.Identity = id
			return reply(a.session(c.r, id)), nil
		})
}

func (a *API) invite(ctx context.Context, in *newInvitation) (*answer[shownInvitation], error) {
	c := callOf(ctx)
	if err := mayGive(c, in.Body.Role); err != nil {
		return nil, err
	}
	i := paas.Invitation{Tenant: c.tenant, Email: in.Body.Email, Role: in.Body.Role, CreatedBy: c.User}
	if in.Body.ExpiresIn > 0 {
		i.ExpiresAt = time.Now().Add(time.Duration(in.Body.ExpiresIn) * time.Second)
	}
	stored, link, err := a.deps.Invitations.Invite(ctx, i)
	return reply(shownInvitation{stored, link}), err
}
