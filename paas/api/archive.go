package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// ArchiveFile is one sealed file of an app's archive.
type ArchiveFile struct {
	Name    string    `json:"name"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Records int64     `json:"records"`
	Bytes   int64     `json:"bytes"`
	SHA256  string    `json:"sha256"`
}

// ArchiveList is an app's archive: its files, and all of them together.
type ArchiveList struct {
	Files   []ArchiveFile `json:"files"`
	From    *time.Time    `json:"from" doc:"Of the oldest record; null while there is none"`
	To      *time.Time    `json:"to"`
	Records int64         `json:"records"`
	Bytes   int64         `json:"bytes"`
	Removed int64         `json:"removed_records" doc:"Records that went because the tenant's archive was full"`
}

// ArchiveRange says what to download. Zero times do not narrow.
type ArchiveRange struct {
	Tenant, App string
	From, To    time.Time // From included, To not
	Format      string    // jsonl, json, csv, parquet, jsonl.gz or jsonl.zst
	Tag         string    // of a former answer, to go on with it; empty: the present state
}

// ArchiveContent is a download that is ready. It must be closed.
type ArchiveContent interface {
	// Tag is the entity tag, in quotes: with it the same range has the same bytes.
	Tag() string
	// Quick reports whether Size takes little.
	Quick() bool
	Size(ctx context.Context) (int64, error)
	// Write writes length bytes from offset on; a negative length: the rest.
	Write(ctx context.Context, w io.Writer, offset, length int64) error
	Close()
}

// ArchiveCheck is what was found of one file.
type ArchiveCheck struct {
	ArchiveFile
	OK   bool   `json:"ok"`
	Says string `json:"says" doc:"What is wrong; empty: nothing"`
}

// ArchiveLimits is what is kept of a tenant's archive.
type ArchiveLimits struct {
	Retention int64 `json:"retention" minimum:"86400" doc:"Seconds after which files are deleted"`
	MaxBytes  int64 `json:"max_bytes" minimum:"0" doc:"Bytes beyond which the oldest files go; 0: no bound"`
}

// ArchiveUse is what one app has in the archive.
type ArchiveUse struct {
	App     string `json:"app"`
	Files   int    `json:"files"`
	Records int64  `json:"records"`
	Bytes   int64  `json:"bytes"`
	Removed int64  `json:"removed_records" doc:"Records that went because the tenant's archive was full"`
}

// ArchiveState is a tenant's archive: what may be kept and what is.
type ArchiveState struct {
	Limits ArchiveLimits `json:"limits"`
	Own    bool          `json:"own" doc:"Whether the operator has set them for this tenant alone"`
	Bytes  int64         `json:"bytes"`
	Apps   []ArchiveUse  `json:"apps"`
}

// Archive reads the archives of apps.
type Archive interface {
	List(ctx context.Context, tenant, app string) (ArchiveList, error)
	// Open readies a download. changed reports that the state of r.Tag cannot be
	// shown any more; there is no content then.
	Open(ctx context.Context, r ArchiveRange) (c ArchiveContent, changed bool, err error)
	// Verify compares an app's files with what is noted of them.
	Verify(ctx context.Context, tenant, app string, fn func(ArchiveCheck) error) error
	State(ctx context.Context, tenant string) (ArchiveState, error)
	// SetLimits sets what is kept of a tenant's archive; nil: the defaults.
	SetLimits(ctx context.Context, tenant string, keep *ArchiveLimits) error
}

func (a *API) archiveRoutes() {
	register(a, huma.Operation{OperationID: "list-archive", Method: http.MethodGet, Path: "/apps/{app}/archive", Summary: "List the archive of an app"},
		paas.RoleViewer, func(ctx context.Context, in *InApp) (*answer[ArchiveList], error) {
			if err := a.appExists(ctx, in.App); err != nil {
				return nil, err
			}
			list, err := a.deps.Archive.List(ctx, callOf(ctx).tenant, in.App)
			if list.Files == nil {
				list.Files = []ArchiveFile{}
			}
			return reply(list), err
		})
	a.downloadRoute()
	register(a, huma.Operation{OperationID: "verify-archive", Method: http.MethodGet, Path: "/apps/{app}/archive/verify",
		Summary: "Compare the archive's files with their checksums, indexes and counts", Responses: ndjsonResponse("One file a line, then the sum")},
		paas.RoleViewer, a.verifyArchive)
	register(a, huma.Operation{OperationID: "get-archive-limits", Method: http.MethodGet, Path: "/archive", Summary: "Show what is kept of a tenant's archive"},
		paas.RoleViewer, func(ctx context.Context, _ *InTenant) (*answer[ArchiveState], error) { return a.archiveState(ctx) })
	register(a, huma.Operation{OperationID: "set-archive-limits", Method: http.MethodPut, Path: "/archive", Summary: "Say what is kept of a tenant's archive"},
		paas.RoleOperator, func(ctx context.Context, in *struct {
			InTenant
			Body ArchiveLimits
		}) (*answer[ArchiveState], error) {
			if err := a.deps.Archive.SetLimits(ctx, callOf(ctx).tenant, &in.Body); err != nil {
				return nil, err
			}
			return a.archiveState(ctx)
		})
	register(a, huma.Operation{OperationID: "reset-archive-limits", Method: http.MethodDelete, Path: "/archive", Summary: "Keep of a tenant's archive what the configuration says"},
		paas.RoleOperator, func(ctx context.Context, _ *InTenant) (*nothing, error) {
			return nil, a.deps.Archive.SetLimits(ctx, callOf(ctx).tenant, nil)
		})
}

func (a *API) archiveState(ctx context.Context) (*answer[ArchiveState], error) {
	state, err := a.deps.Archive.State(ctx, callOf(ctx).tenant)
	if state.Apps == nil {
		state.Apps = []ArchiveUse{}
	}
	return reply(state), err
}

// archiveSum is the last line of a check.
type archiveSum struct {
	End     bool  `json:"end"`
	OK      bool  `json:"ok"`
	Files   int   `json:"files"`
	Records int64 `json:"records"`
	Bytes   int64 `json:"bytes"`
}

func (a *API) verifyArchive(ctx context.Context, in *InApp) (*huma.StreamResponse, error) {
	if err := a.appExists(ctx, in.App); err != nil {
		return nil, err
	}
	tenant := callOf(ctx).tenant
	return a.stream(ctx, func(ctx context.Context, out *ndjson) error {
		sum := archiveSum{End: true, OK: true}
		err := a.deps.Archive.Verify(ctx, tenant, in.App, func(f ArchiveCheck) error {
			sum.OK = sum.OK && f.OK
			sum.Files, sum.Records, sum.Bytes = sum.Files+1, sum.Records+f.Records, sum.Bytes+f.Bytes
			return out.last(f)
		})
		if err != nil {
			return err
		}
		return out.last(sum)
	}), nil
}
