package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// Silence is a span in which nobody is told of what an app's alerts do.
type Silence struct {
	ID        string    `json:"id"`
	Alert     string    `json:"alert" doc:"Id of the alert; empty: all of the app's"`
	StartsAt  time.Time `json:"starts_at"`
	EndsAt    time.Time `json:"ends_at"`
	Comment   string    `json:"comment"`
	CreatedBy string    `json:"created_by"`
}

// NewSilence is a silence as it is asked for.
type NewSilence struct {
	Alert    string    `json:"alert,omitempty" maxLength:"100" doc:"Id of the alert; empty: all of the app's"`
	StartsAt time.Time `json:"starts_at,omitempty" doc:"Default: now"`
	EndsAt   time.Time `json:"ends_at"`
	Comment  string    `json:"comment,omitempty" maxLength:"300"`
}

type silenceList struct {
	Silences []Silence `json:"silences"`
}

func (a *API) silenceRoutes() {
	register(a, huma.Operation{OperationID: "list-silences", Method: http.MethodGet, Path: "/apps/{app}/silences", Summary: "List the silences of an app's alerts"},
		paas.RoleViewer, func(ctx context.Context, in *InApp) (*answer[silenceList], error) {
			if err := a.appExists(ctx, in.App); err != nil {
				return nil, err
			}
			list, err := a.deps.Alerts.Silences(ctx, callOf(ctx).tenant, in.App)
			if list == nil {
				list = []Silence{}
			}
			return reply(silenceList{list}), err
		})
	register(a, huma.Operation{OperationID: "create-silence", Method: http.MethodPost, Path: "/apps/{app}/silences", Summary: "Silence an alert, or all of an app's",
		DefaultStatus: http.StatusCreated}, paas.RoleDeveloper, func(ctx context.Context, in *struct {
		InApp
		Body NewSilence
	}) (*answer[Silence], error) {
		if err := a.appExists(ctx, in.App); err != nil {
			return nil, err
		}
		c := callOf(ctx)
		added, err := a.deps.Alerts.AddSilence(ctx, c.tenant, in.App, c.User, in.Body)
		return reply(added), err
	})
	register(a, huma.Operation{OperationID: "end-silence", Method: http.MethodDelete, Path: "/apps/{app}/silences/{id}", Summary: "End a silence"},
		paas.RoleDeveloper, func(ctx context.Context, in *oneRule) (*nothing, error) {
			if err := a.appExists(ctx, in.App); err != nil {
				return nil, err
			}
			return nil, a.deps.Alerts.EndSilence(ctx, callOf(ctx).tenant, in.App, in.ID)
		})
}

// shownReceiver hides from viewers what stands behind a webhook's host: it is
// its secret.
func (a *API) shownReceiver(ctx context.Context, receiver string) string {
	address, _ := strings.CutPrefix(receiver, "slack:")
	u, err := url.Parse(address)
	if callOf(ctx).Role != paas.RoleViewer || err != nil || u.Host == "" || !strings.Contains(address, "://") {
		return receiver
	}
	return u.Scheme + "://" + u.Host + "/…"
}
