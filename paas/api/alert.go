package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// Rule is an alert condition on an app, and how it stands.
type Rule struct {
	ID         string     `json:"id"`
	Condition  string     `json:"condition" doc:"As written: cpu > 90"`
	For        float64    `json:"for" doc:"Seconds that it must hold"`
	KeepFiring float64    `json:"keep_firing" doc:"Seconds that it goes on firing after the condition has ended"`
	Repeat     float64    `json:"repeat" doc:"Seconds between reminders while it fires; 0: none"`
	Receiver   string     `json:"receiver" doc:"An e-mail address, or a webhook: https://… or slack:https://…; viewers see its host alone"`
	State      string     `json:"state" doc:"ok, pending or firing"`
	Since      *time.Time `json:"since" doc:"When the state began; null before the first look"`
	Value      string     `json:"value" doc:"The last figure seen, with its unit"`
	CreatedAt  time.Time  `json:"created_at"`
}

// NewRule is a rule as it is asked for.
type NewRule struct {
	Condition  string  `json:"condition" maxLength:"1000"`
	For        float64 `json:"for,omitempty" minimum:"0" maximum:"86400" doc:"Seconds that it must hold"`
	KeepFiring float64 `json:"keep_firing,omitempty" minimum:"0" maximum:"86400" doc:"Seconds that it goes on firing after the condition has ended"`
	Repeat     float64 `json:"repeat,omitempty" minimum:"0" maximum:"2592000" doc:"Seconds between reminders while it fires; 0: none"`
	Receiver   string  `json:"receiver" maxLength:"510" doc:"An e-mail address, or a webhook: https://… or slack:https://…"`
}

// Alerts keeps the rules of apps.
type Alerts interface {
	Rules(ctx context.Context, tenant, app string) ([]Rule, error)
	// AddRule returns *paas.Invalid for a condition or address that cannot be.
	AddRule(ctx context.Context, tenant, app, by string, r NewRule) (Rule, error)
	DeleteRule(ctx context.Context, tenant, app, id string) error
	ReleaseReceivers(ctx context.Context, tenant, app string) ([]string, error)
	// SetReleaseReceivers returns *paas.Invalid for one that cannot be told.
	SetReleaseReceivers(ctx context.Context, tenant, app, by string, receivers []string) error
	// PreviewRule returns *paas.Invalid for a condition that cannot be.
	PreviewRule(ctx context.Context, tenant, app, condition string, hold float64) (RulePreview, error)
	Silences(ctx context.Context, tenant, app string) ([]Silence, error)
	// AddSilence returns *paas.Invalid for a span that cannot be.
	AddSilence(ctx context.Context, tenant, app, by string, s NewSilence) (Silence, error)
	EndSilence(ctx context.Context, tenant, app, id string) error
	// TestRule sends a message as the rule would, so that its way can be seen.
	TestRule(ctx context.Context, tenant, app, id string) error
}

// RulePreview is what a condition would have said of the last hour.
type RulePreview struct {
	Condition string         `json:"condition" doc:"As it is understood, with units"`
	From      time.Time      `json:"from"`
	To        time.Time      `json:"to"`
	Subject   string         `json:"subject" doc:"The figure that the points show; empty where the condition compares none with a number"`
	Unit      string         `json:"unit" doc:"%, ms, /s or empty"`
	Limit     *float64       `json:"limit" doc:"What the figure is compared with"`
	Points    []PreviewPoint `json:"points" doc:"One every ten seconds"`
	Fired     int            `json:"fired" doc:"How often it would have fired"`
	Held      float64        `json:"held" doc:"Seconds for which the condition held"`
	Now       string         `json:"now" doc:"The figures at the end, in words"`
}

// PreviewPoint is one moment of a preview.
type PreviewPoint struct {
	At    time.Time `json:"t"`
	Value *float64  `json:"v" doc:"Null where it was not known"`
	Holds bool      `json:"holds"`
}

type previewRule struct {
	InApp
	Body struct {
		Condition string  `json:"condition" maxLength:"1000"`
		For       float64 `json:"for,omitempty" minimum:"0" maximum:"86400" doc:"Seconds that it must hold"`
	}
}

type ruleList struct {
	Alerts []Rule `json:"alerts"`
}

type oneRule struct {
	InApp
	ID string `path:"id"`
}

type newRule struct {
	InApp
	Body NewRule
}

func (a *API) alertRoutes() {
	a.silenceRoutes()
	register(a, huma.Operation{OperationID: "list-alerts", Method: http.MethodGet, Path: "/apps/{app}/alerts", Summary: "List the alerts of an app"},
		paas.RoleViewer, func(ctx context.Context, in *InApp) (*answer[ruleList], error) {
			if err := a.appExists(ctx, in.App); err != nil {
				return nil, err
			}
			rules, err := a.deps.Alerts.Rules(ctx, callOf(ctx).tenant, in.App)
			if rules == nil {
				rules = []Rule{}
			}
			for i := range rules {
				rules[i].Receiver = a.shownReceiver(ctx, rules[i].Receiver)
			}
			return reply(ruleList{rules}), err
		})
	register(a, huma.Operation{OperationID: "create-alert", Method: http.MethodPost, Path: "/apps/{app}/alerts", Summary: "Add an alert",
		DefaultStatus: http.StatusCreated}, paas.RoleDeveloper, a.addRule)
	register(a, huma.Operation{OperationID: "preview-alert", Method: http.MethodPost, Path: "/apps/{app}/alerts/preview",
		Summary: "Try a condition on the last hour, without saving it"}, paas.RoleViewer, a.previewRule)
	register(a, huma.Operation{OperationID: "delete-alert", Method: http.MethodDelete, Path: "/apps/{app}/alerts/{id}", Summary: "Remove an alert"},
		paas.RoleDeveloper, func(ctx context.Context, in *oneRule) (*nothing, error) {
			if err := a.appExists(ctx, in.App); err != nil {
				return nil, err
			}
			return nil, a.deps.Alerts.DeleteRule(ctx, callOf(ctx).tenant, in.App, in.ID)
		})
	register(a, huma.Operation{OperationID: "test-alert", Method: http.MethodPost, Path: "/apps/{app}/alerts/{id}/test",
		Summary: "Send a test message as the alert would", DefaultStatus: http.StatusAccepted},
		paas.RoleDeveloper, func(ctx context.Context, in *oneRule) (*answer[message], error) {
			if err := a.appExists(ctx, in.App); err != nil {
				return nil, err
			}
			err := a.deps.Alerts.TestRule(ctx, callOf(ctx).tenant, in.App, in.ID)
			return reply(message{"The test message is on its way. The list of messages says what became of it."}), err
		})
}

func (a *API) previewRule(ctx context.Context, in *previewRule) (*answer[RulePreview], error) {
	callOf(ctx).trial = true
	if err := a.appExists(ctx, in.App); err != nil {
		return nil, err
	}
	view, err := a.deps.Alerts.PreviewRule(ctx, callOf(ctx).tenant, in.App, in.Body.Condition, in.Body.For)
	return reply(view), err
}

func (a *API) addRule(ctx context.Context, in *newRule) (*answer[Rule], error) {
	c := callOf(ctx)
	if err := a.appExists(ctx, in.App); err != nil {
		return nil, err
	}
	r, err := a.deps.Alerts.AddRule(ctx, c.tenant, in.App, c.User, in.Body)
	return reply(r), err
}
