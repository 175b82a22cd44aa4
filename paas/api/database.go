package api

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gorilla/websocket"

	"kurama/paas"
)

// Databases keeps the Postgres databases of apps. Its methods return
// paas.ErrNotFound, paas.ErrExists or *paas.Invalid; those that change how an
// app signs in restart its replicas one by one.
type Databases interface {
	// Database returns nil for an app that has none.
	Database(ctx context.Context, tenant, app string) (*paas.Database, error)
	// CreateDatabase makes one of size bytes; 0: the usual.
	CreateDatabase(ctx context.Context, tenant, app string, size int64) error
	ResizeDatabase(ctx context.Context, tenant, app string, size int64) error
	RotateDatabase(ctx context.Context, tenant, app string) error
	DeleteDatabase(ctx context.Context, tenant, app string) error
	// DialDatabase connects to the server; the password is asked for there.
	DialDatabase(ctx context.Context, tenant, app string) (net.Conn, error)
}

// DatabaseView is the database of an app, without its password.
type DatabaseView struct {
	paas.Database
	Says string `json:"says" doc:"What is wrong with it, and what to do; empty: nothing"`
}

type databaseAnswer struct {
	Database *DatabaseView `json:"database" doc:"null: the app has none"`
}

type databaseSize struct {
	InApp
	Body struct {
		Size int64 `json:"size,omitempty" doc:"Bytes that it may hold; the installation's usual size where left out"`
	}
}

type databaseURL struct {
	URL string `json:"url" doc:"As the app finds it in DATABASE_URL"`
}

func (a *API) databaseRoutes() {
	register(a, huma.Operation{OperationID: "get-database", Method: http.MethodGet, Path: "/apps/{app}/database", Summary: "Show the Postgres database of an app"},
		paas.RoleViewer, func(ctx context.Context, in *InApp) (*answer[databaseAnswer], error) { return a.database(ctx, in.App) })
	register(a, huma.Operation{OperationID: "create-database", Method: http.MethodPost, Path: "/apps/{app}/database",
		Summary: "Give an app a Postgres database; restarts the replicas, which find it in DATABASE_URL", DefaultStatus: http.StatusCreated},
		paas.RoleDeveloper, func(ctx context.Context, in *databaseSize) (*answer[databaseAnswer], error) {
			if err := a.deps.Databases.CreateDatabase(context.WithoutCancel(ctx), callOf(ctx).tenant, in.App, in.Body.Size); err != nil {
				return nil, err
			}
			return a.database(ctx, in.App)
		})
	register(a, huma.Operation{OperationID: "resize-database", Method: http.MethodPut, Path: "/apps/{app}/database", Summary: "Set what the database of an app may hold"},
		paas.RoleDeveloper, func(ctx context.Context, in *databaseSize) (*answer[databaseAnswer], error) {
			if err := a.deps.Databases.ResizeDatabase(ctx, callOf(ctx).tenant, in.App, in.Body.Size); err != nil {
				return nil, err
			}
			return a.database(ctx, in.App)
		})
	register(a, huma.Operation{OperationID: "delete-database", Method: http.MethodDelete, Path: "/apps/{app}/database",
		Summary: "Delete the database of an app with all that it holds; restarts the replicas"},
		paas.RoleDeveloper, func(ctx context.Context, in *InApp) (*nothing, error) {
			return nil, a.deps.Databases.DeleteDatabase(context.WithoutCancel(ctx), callOf(ctx).tenant, in.App)
		})
	register(a, huma.Operation{OperationID: "get-database-url", Method: http.MethodGet, Path: "/apps/{app}/database/url",
		Summary: "Show the address of the database of an app, with its password"}, paas.RoleDeveloper, a.databaseAddress)
	register(a, huma.Operation{OperationID: "open-tunnel", Method: http.MethodGet, Path: "/apps/{app}/database/tunnel",
		Summary:   "Connect to the database of an app over a websocket",
		Responses: map[string]*huma.Response{"101": {Description: "A websocket, as that of the terminal: binary messages carry the connection's bytes, from the database behind a byte 1."}}},
		paas.RoleDeveloper, a.tunnel)
	register(a, huma.Operation{OperationID: "rotate-database", Method: http.MethodPost, Path: "/apps/{app}/database/rotate",
		Summary: "Change the password of an app's database; restarts the replicas, the former one works for ten minutes"},
		paas.RoleDeveloper, func(ctx context.Context, in *InApp) (*nothing, error) {
			return nil, a.deps.Databases.RotateDatabase(context.WithoutCancel(ctx), callOf(ctx).tenant, in.App)
		})
}

// tunnel carries the bytes of one connection to the database, as a terminal
// does those of a command.
func (a *API) tunnel(ctx context.Context, in *InApp) (*huma.StreamResponse, error) {
	c := callOf(ctx)
	server, err := a.deps.Databases.DialDatabase(ctx, c.tenant, in.App)
	if err != nil {
		return nil, err
	}
	if !websocket.IsWebSocketUpgrade(c.r) {
		_ = server.Close()
		return nil, &paas.Invalid{Reason: "The way to a database is a websocket. Use `kurama database psql`, or `kurama database tunnel`."}
	}
	return a.overSocket(ctx, c, func(ctx context.Context, t *terminal) (int, error) {
		defer context.AfterFunc(ctx, func() { _ = server.Close() })()
		go t.read()
		go func() {
			_, _ = io.Copy(server, t.in)
			_ = t.in.Close()   // nothing waits to be taken from it any more
			_ = server.Close() // a client that has said all has heard all
		}()
		_, err := io.Copy(stream{t, fromOut}, server)
		if errors.Is(err, net.ErrClosed) {
			err = nil
		}
		return 0, errors.Join(err, ctx.Err())
	}), nil
}

func (a *API) database(ctx context.Context, app string) (*answer[databaseAnswer], error) {
	d, err := a.deps.Databases.Database(ctx, callOf(ctx).tenant, app)
	if err != nil || d == nil {
		return reply(databaseAnswer{}), err
	}
	return reply(databaseAnswer{&DatabaseView{*d, d.Says()}}), nil
}

func (a *API) databaseAddress(ctx context.Context, in *InApp) (*answer[databaseURL], error) {
	d, err := a.deps.Databases.Database(ctx, callOf(ctx).tenant, in.App)
	if err == nil && d == nil {
		err = &paas.Invalid{Reason: "The app has no database. `kurama database create " + in.App + "` makes one."}
	}
	if err != nil {
		return nil, err
	}
	return reply(databaseURL{d.URL()}), nil
}
