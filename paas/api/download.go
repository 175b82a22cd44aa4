package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// archiveTypes are the media types of the formats.
var archiveTypes = map[string]string{
	"jsonl": "application/x-ndjson", "json": "application/json",
	"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet",
	"jsonl.gz": "application/gzip", "jsonl.zst": "application/zstd",
}

type download struct {
	InApp
	From    time.Time `query:"from" doc:"Included"`
	To      time.Time `query:"to" doc:"Not included"`
	Format  string    `query:"format" enum:"jsonl,json,csv,parquet,jsonl.gz,jsonl.zst" default:"jsonl"`
	Range   string    `header:"Range" doc:"bytes=FIRST-LAST: a part of the file, to go on with a download"`
	IfRange string    `header:"If-Range" doc:"ETag of the answer that the part is of: another state gives the whole file"`
}

func (a *API) downloadRoute() {
	media := map[string]*huma.MediaType{}
	for _, name := range archiveTypes {
		media[name] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	register(a, huma.Operation{OperationID: "download-archive", Method: http.MethodGet, Path: "/apps/{app}/archive/download",
		Summary: "Download log records as a file", Responses: map[string]*huma.Response{
			"200": {Description: "The records of the range, oldest first", Content: media},
			"206": {Description: "A part of the file", Content: media},
			"416": {Description: "The part lies behind the end of the file"},
		}}, paas.RoleViewer, a.download)
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
	content, part, err := a.openArchive(ctx, wanted, in)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(huma.Context) {
		defer content.Close()
		out := &lateHeader{w: c.w, control: c.control(), status: part.status(), header: func(h http.Header) {
			h.Set("Content-Type", archiveTypes[in.Format])
			h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s"`, wanted.fileName()))
			h.Set("Cache-Control", "no-store")
			h.Set("Accept-Ranges", "bytes")
			h.Set("ETag", content.Tag())
			part.describe(h)
		}}
		if part.none {
			out.begin()
			return
		}
		err := content.Write(ctx, out, part.first, part.length)
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

// openArchive opens the state that the caller has a part of, where it can still
// be shown, and finds the bytes that are asked for.
func (a *API) openArchive(ctx context.Context, wanted ArchiveRange, in *download) (ArchiveContent, bytesRange, error) {
	asked := in.Range
	if asked != "" {
		wanted.Tag = in.IfRange
	}
	content, changed, err := a.deps.Archive.Open(ctx, wanted)
	if changed {
		wanted.Tag, asked = "", ""
		content, _, err = a.deps.Archive.Open(ctx, wanted)
	}
	if err != nil {
		return nil, bytesRange{}, err
	}
	part := bytesRange{length: -1, size: -1}
	if asked != "" || content.Quick() {
		if part.size, err = content.Size(ctx); err != nil {
			content.Close()
			return nil, part, err
		}
	}
	if asked != "" {
		part.read(asked)
	}
	return content, part, nil
}

// bytesRange is the part of a file that is sent.
type bytesRange struct {
	first, length int64 // length is negative for the whole
	size          int64 // of the file; negative: not known
	none          bool  // the part lies behind the end
}

// read reads a Range header of one range. Others, and such that make no sense,
// stand for the whole file, as RFC 9110 allows.
func (b *bytesRange) read(header string) {
	from, to, ok := strings.Cut(strings.TrimPrefix(header, "bytes="), "-")
	if !ok || !strings.HasPrefix(header, "bytes=") {
		return
	}
	first, errFirst := strconv.ParseInt(strings.TrimSpace(from), 10, 64)
	last, errLast := strconv.ParseInt(strings.TrimSpace(to), 10, 64)
	switch {
	case from == "" && errLast == nil && last >= 0: // the last bytes
		first, last = max(0, b.size-last), b.size-1
	case errFirst != nil || first < 0:
		return
	case to == "":
		last = b.size - 1
	case errLast != nil || last < first:
		return
	}
	last = min(last, b.size-1)
	b.first, b.length, b.none = first, last-first+1, first > last
}

func (b *bytesRange) status() int {
	switch {
	case b.none:
		return http.StatusRequestedRangeNotSatisfiable
	case b.length >= 0:
		return http.StatusPartialContent
	}
	return http.StatusOK
}

// describe sets the headers that tell of the range.
func (b *bytesRange) describe(h http.Header) {
	switch {
	case b.none:
		h.Set("Content-Range", fmt.Sprintf("bytes */%d", b.size))
		h.Set("Content-Length", "0")
	case b.length >= 0:
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", b.first, b.first+b.length-1, b.size))
		h.Set("Content-Length", strconv.FormatInt(b.length, 10))
	case b.size >= 0:
		h.Set("Content-Length", strconv.FormatInt(b.size, 10))
	}
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
