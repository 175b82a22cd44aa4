package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// volumer looks after what apps keep. Its methods return paas.ErrNotFound,
// paas.ErrExists or *paas.Invalid; a change restarts the replicas one by one.
type volumer interface {
	Volumes(ctx context.Context, tenant, app string) ([]paas.Volume, error)
	AddVolume(ctx context.Context, tenant, app string, v paas.Volume) error
	RemoveVolume(ctx context.Context, tenant, app, path string) error
}

type volumeList struct {
	Volumes []paas.Volume `json:"volumes"`
}

type newVolume struct {
	InApp
	Body struct {
		Path string `json:"path" doc:"Folder below the app's source, such as instance"`
		Size int64  `json:"size,omitempty" doc:"Bytes; 256 MiB where left out"`
	}
}

type oneVolume struct {
	InApp
	Path string `query:"path" doc:"Which one"`
}

func (a *API) volumeRoutes() {
	register(a, huma.Operation{OperationID: "list-volumes", Method: http.MethodGet, Path: "/apps/{app}/volumes", Summary: "List the volumes of an app"},
		paas.RoleViewer, func(ctx context.Context, in *InApp) (*answer[volumeList], error) { return a.volumes(ctx, in.App) })
	register(a, huma.Operation{OperationID: "add-volume", Method: http.MethodPost, Path: "/apps/{app}/volumes",
		Summary: "Add a folder that outlives releases; restarts the replicas", DefaultStatus: http.StatusCreated},
		paas.RoleDeveloper, func(ctx context.Context, in *newVolume) (*answer[volumeList], error) {
			v := paas.Volume{Path: in.Body.Path, Size: in.Body.Size}
			if v.Size == 0 {
				v.Size = paas.DefaultVolume
			}
			if err := a.deps.Deployer.AddVolume(ctx, callOf(ctx).tenant, in.App, v); err != nil {
				return nil, err
			}
			return a.volumes(ctx, in.App)
		})
	register(a, huma.Operation{OperationID: "remove-volume", Method: http.MethodDelete, Path: "/apps/{app}/volumes",
		Summary: "Delete a volume with all that it holds; restarts the replicas"},
		paas.RoleDeveloper, func(ctx context.Context, in *oneVolume) (*nothing, error) {
			return nil, a.deps.Deployer.RemoveVolume(context.WithoutCancel(ctx), callOf(ctx).tenant, in.App, in.Path)
		})
}

func (a *API) volumes(ctx context.Context, app string) (*answer[volumeList], error) {
	found, err := a.deps.Deployer.Volumes(ctx, callOf(ctx).tenant, app)
	return reply(volumeList{append([]paas.Volume{}, found...)}), err
}
