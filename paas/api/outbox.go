package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// Notification is one message to one recipient.
type Notification struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind" doc:"firing, resolved or test"`
	Recipient string     `json:"recipient"`
	Subject   string     `json:"subject"`
	BodyText  string     `json:"body_text"`
	State     string     `json:"state" doc:"pending, sent, outbox (no mail server is configured), failed, suppressed (beyond the messages per hour) or grouped (told in another message)"`
	Attempts  int        `json:"attempts"`
	Error     string     `json:"error"`
	CreatedAt time.Time  `json:"created_at"`
	SentAt    *time.Time `json:"sent_at"`
}

// Outbox reads what was sent, or would have been.
type Outbox interface {
	Notifications(ctx context.Context, tenant, app string, limit int) ([]Notification, error)
	// Mail returns one message of a tenant's as .eml, or paas.ErrNotFound.
	Mail(ctx context.Context, tenant, id string) ([]byte, error)
}

type notificationList struct {
	Notifications []Notification `json:"notifications"`
}

func (a *API) outboxRoutes() {
	register(a, huma.Operation{OperationID: "list-notifications", Method: http.MethodGet, Path: "/apps/{app}/notifications", Summary: "List messages, newest first"},
		paas.RoleViewer, func(ctx context.Context, in *struct {
			InApp
			Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		}) (*answer[notificationList], error) {
			if err := a.appExists(ctx, in.App); err != nil {
				return nil, err
			}
			list, err := a.deps.Outbox.Notifications(ctx, callOf(ctx).tenant, in.App, in.Limit)
			if list == nil {
				list = []Notification{}
			}
			return reply(notificationList{list}), err
		})
	eml := map[string]*huma.Response{"200": {Description: "The message", Content: map[string]*huma.MediaType{
		"message/rfc822": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}}
	register(a, huma.Operation{OperationID: "get-mail", Method: http.MethodGet, Path: "/outbox/{id}", Summary: "Download a message", Responses: eml},
		paas.RoleViewer, func(ctx context.Context, in *struct {
			InTenant
			ID string `path:"id" maxLength:"100"`
		}) (*huma.StreamResponse, error) {
			mail, err := a.deps.Outbox.Mail(ctx, callOf(ctx).tenant, in.ID)
			if err != nil {
				return nil, err
			}
			w := callOf(ctx).w
			return &huma.StreamResponse{Body: func(huma.Context) {
				w.Header().Set("Content-Type", "message/rfc822")
				w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s.eml"`, in.ID))
				_, _ = w.Write(mail)
			}}, nil
		})
}
