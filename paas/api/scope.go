package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// scopes says which of a token's scopes allow an operation, beside read for
// all that viewers may look at. What is not here takes a token without scopes.
var scopes = map[string][]paas.Scope{
	"deploy": {paas.ScopeDeploy}, pushOp.OperationID: {paas.ScopeDeploy}, "rollback": {paas.ScopeDeploy}, "cancel-release": {paas.ScopeDeploy},
	"list-apps": {paas.ScopeRead, paas.ScopeDeploy}, "get-app": {paas.ScopeRead, paas.ScopeDeploy},
	"list-releases": {paas.ScopeRead, paas.ScopeDeploy}, "get-release": {paas.ScopeRead, paas.ScopeDeploy},
	"get-build-log": {paas.ScopeRead, paas.ScopeDeploy}, "get-release-changes": {paas.ScopeRead, paas.ScopeDeploy},
	"get-env": {paas.ScopeEnv}, "set-env": {paas.ScopeEnv}, "get-database-url": {paas.ScopeEnv}, "open-tunnel": {paas.ScopeEnv},
	"run-command": {paas.ScopeRun}, "open-terminal": {paas.ScopeRun}, "run-cron-job": {paas.ScopeRun},
	"list-tokens": nil, // what else may act in one's name is no business of a bound token
}

// anyToken lists what each token may ask, however little it is for.
var anyToken = []string{"get-session", "sign-out"}

// scopesOf returns the scopes that allow op; none: no token that has scopes.
func scopesOf(op *huma.Operation, need paas.Role) []paas.Scope {
	if listed, ok := scopes[op.OperationID]; ok {
		return listed
	}
	if op.Method == http.MethodGet && need == paas.RoleViewer {
		return []paas.Scope{paas.ScopeRead}
	}
	return nil
}

// checkScope refuses what the caller's token is not for.
func checkScope(c *call, op *huma.Operation, need paas.Role) error {
	if !c.Bound() || slices.Contains(anyToken, op.OperationID) {
		return nil
	}
	allowing := scopesOf(op, need)
	if len(c.Scopes) > 0 && (len(allowing) == 0 || !c.Has(allowing...)) {
		return forbidden(fmt.Sprintf("The token %s is for %s only. Make one that may do this.", c.Token, words(c.Scopes)))
	}
	app := c.r.PathValue("app")
	switch {
	case c.App == "" || app == c.App:
		return nil
	case app == "":
		return forbidden(fmt.Sprintf("The token %s is for the app %s only. Make one that may do this.", c.Token, c.App))
	}
	return fmt.Errorf("app %s: %w", app, paas.ErrNotFound)
}

func words(scopes []paas.Scope) string {
	list := make([]string, len(scopes))
	for i, s := range scopes {
		list[i] = string(s)
	}
	return strings.Join(list, ", ")
}
