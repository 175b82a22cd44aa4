package api

import (
	"context"
	"fmt"
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
}

// ArchiveRange says what to download. Zero times do not narrow.
type ArchiveRange struct {
	Tenant, App string
	From, To    time.Time // From included, To not
	Format      string    // jsonl, json, jsonl.gz or jsonl.zst
}

// Archive reads the archives of apps.
type Archive interface {
	List(ctx context.Context, tenant, app string) (ArchiveList, error)
	// Download writes the records of a range to w. An error after the first
	// byte cuts the download off.
	Download(ctx context.Context, w io.Writer, r ArchiveRange) error
}

// archiveTypes are the media types of the formats.
var archiveTypes = map[string]string{
	"jsonl": "application/x-ndjson", "json": "application/json",
	"jsonl.gz": "application/gzip", "jsonl.zst": "application/zstd",
}

type download struct {
	InApp
	From   time.Time `query:"from" doc:"Included"`
	To     time.Time `query:"to" doc:"Not included"`
	Format string    `query:"format" enum:"jsonl,json,jsonl.gz,jsonl.zst" default:"jsonl"`
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
	file := map[string]*huma.Response{"200": {Description: "The records of the range, oldest first", Content: map[string]*huma.MediaType{}}}
	for _, media := range archiveTypes {
		file["200"].Content[media] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	register(a, huma.Operation{OperationID: "download-archive", Method: http.MethodGet, Path: "/apps/{app}/archive/download",
		Summary: "Download log records as a file", Responses: file}, paas.RoleViewer, a.download)
}

func (a *API) download(ctx context.Context, in *download) (*huma.StreamResponse, error) {
	c := callOf(ctx)
	if err := a.appExists(ctx, in.App); err != nil {
		return nil, err
	}
	if !in.From.IsZero() && !in.To.IsZero() && !in.From.Before(in.To) {
		return nil, &paas.Invalid{Reason: fmt.Sprintf("The range from %s to %s is empty: give an earlier start.",
			in.From.Format(time.RFC3339), in.To.Format(time.RFC3339))}
	}
	wanted := ArchiveRange{Tenant: c.tenant, App: in.App, From: in.From, To: in.To, Format: in.Format}
	return &huma.StreamResponse{Body: func(huma.Context) {
		out := &lateHeader{w: c.w, control: c.control(), header: func(h http.Header) {
			h.Set("Content-Type", archiveTypes[in.Format])
			h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s"`, wanted.fileName()))
			h.Set("Cache-Control", "no-store")
		}}
		err := a.deps.Archive.Download(ctx, out, wanted)
		switch {
		case err != nil && out.begun:
			a.broken(ctx, err)
		case err != nil:
			a.writeProblem(c.w, c.r, err)
		default:
			out.begin() // a range without records is a file without lines
		}
	}}, nil
}

// fileName names a download by app and range.
func (r ArchiveRange) fileName() string {
	const form = "20060102T150405Z"
	name := r.App
	if !r.From.IsZero() {
		name += "-" + r.From.UTC().Format(form)
	}
	if !r.To.IsZero() {
		name += "-" + r.To.UTC().Format(form)
	}
	return name + "." + r.Format
}
