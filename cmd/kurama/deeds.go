package main

import (
	"context"
	"net/http"
	"time"

	"kurama/paas"
	"kurama/paas/auth"
	"kurama/paas/deploy"
)

// deeds notes in the audit log what the platform does by itself.
type deeds struct{ audit *auth.Auth }

// deedTargets are the paths below an app of what the platform does by itself.
var deedTargets = map[string]string{"rollback": "rollback", "end-canary": "canary"}

// NoteDeed adds a deed of the platform.
func (d deeds) NoteDeed(ctx context.Context, tenant, app, action, detail string) error {
	return note(ctx, d.audit, tenant, app, deploy.Platform, action, deedTargets[action], detail)
}

// note adds a deed that no call of the API did.
func note(ctx context.Context, audit *auth.Auth, tenant, app, who, action, target, detail string) error {
	return audit.Note(ctx, paas.Deed{At: time.Now(), Tenant: tenant, Who: who, Action: action, App: app,
		Target: "/apps/" + app + "/" + target, Status: http.StatusOK, Detail: detail})
}
