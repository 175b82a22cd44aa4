package api

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/logship/record"
	"kurama/paas"
)

// LogFilter says which records of an app are wanted. Zero fields do not narrow.
type LogFilter struct {
	Tenant, App string
	From, To    time.Time    // From included, To not
	Level       record.Level // this level and above
	Kinds       []record.Kind
	Text        string // part of the message or the traceback, in any case
	Status      string // exact (404) or a class (5xx)
	Route       string // the Flask rule
	Req         string // request id
	Limit       int    // records at the most; of Logs only
	Cursor      string // as a former answer gave it; of Logs only
}

// Logs reads the records of apps.
type Logs interface {
	// Logs returns records newest first, and the cursor that leads on, empty
	// at the end. A cursor that is none is *paas.Invalid.
	Logs(ctx context.Context, f LogFilter) ([]record.Record, string, error)
	// Follow calls fn with each record that comes in from now on, oldest
	// first, until ctx ends or fn fails. fn does not keep the record.
	Follow(ctx context.Context, f LogFilter, fn func(*record.Record) error) error
}

// Record is a log record in its canonical form.
type Record struct{ record.Record }

// Schema describes the canonical form, which the fields of the Go type do not.
func (Record) Schema(huma.Registry) *huma.Schema {
	text, number := &huma.Schema{Type: "string"}, &huma.Schema{Type: "number", Nullable: true}
	properties := map[string]*huma.Schema{"ts": {Type: "string", Format: "date-time"}, "id": {Type: "string", Format: "uuid"},
		"release": {Type: "integer"}, "status": {Type: "integer", Nullable: true}, "extra": {Type: "object"},
		"level": {Type: "string", Nullable: true}, "url": {Type: "string", Nullable: true}}
	for _, name := range []string{"kind", "tenant", "app", "replica", "method", "route", "msg", "req", "exc"} {
		properties[name] = text
	}
	for _, name := range []string{"cpu", "mem", "disk", "swap", "dur", "queue", "cpu_ms", "db_ms", "bytes"} {
		properties[name] = number
	}
	return &huma.Schema{Type: huma.TypeObject, Properties: properties}
}

type recordList struct {
	Records []Record `json:"records"`
	Cursor  string   `json:"cursor" doc:"Leads to older records; empty at the end"`
}

type logQuery struct {
	InApp
	From   time.Time `query:"from" doc:"Included"`
	To     time.Time `query:"to" doc:"Not included"`
	Level  string    `query:"level" doc:"This level and above"`
	Kind   string    `query:"kind" doc:"One or several of request, log, sample, event, profile, with commas; without it request, log and event"`
	Q      string    `query:"q" maxLength:"500" doc:"Part of the message or the traceback"`
	Status string    `query:"status" doc:"404, or 5xx"`
	Route  string    `query:"route"`
	Req    string    `query:"req"`
	Limit  int       `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor string    `query:"cursor"`
	Follow bool      `query:"follow" doc:"New records as NDJSON, oldest first, until the caller hangs up"`
}

func (a *API) logRoutes() {
	op := huma.Operation{OperationID: "get-logs", Method: http.MethodGet, Path: "/apps/{app}/logs", Summary: "Read or follow the log of an app"}
	op.Responses = ndjsonResponse("Newest first; followed, one record a line, oldest first")
	op.Responses["200"].Content["application/json"] = &huma.MediaType{
		Schema: a.huma.OpenAPI().Components.Schemas.Schema(typeOf[recordList](), true, "RecordList")}
	register(a, op, paas.RoleViewer, a.logs)
}

func (a *API) logs(ctx context.Context, in *logQuery) (*huma.StreamResponse, error) {
	if err := a.appExists(ctx, in.App); err != nil {
		return nil, err
	}
	filter, err := in.filter(callOf(ctx).tenant)
	if err != nil {
		return nil, err
	}
	if in.Follow {
		return a.stream(ctx, func(ctx context.Context, out *ndjson) error {
			return a.deps.Logs.Follow(ctx, filter, func(r *record.Record) error { return out.last(r) })
		}), nil
	}
	records, cursor, err := a.deps.Logs.Logs(ctx, filter)
	if err != nil {
		return nil, err
	}
	list := recordList{Records: make([]Record, len(records)), Cursor: cursor}
	for i, r := range records {
		list.Records[i] = Record{r}
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) { writeJSON(callOf(ctx).w, list) }}, nil
}

var statusForm = regexp.MustCompile(`^[1-5](xx|[0-9][0-9])$`)

// filter reads what was asked for. Samples come by the second and would hide
// all else, so they are left out unless they are named.
func (q *logQuery) filter(tenant string) (LogFilter, error) {
	f := LogFilter{Tenant: tenant, App: q.App, From: q.From, To: q.To, Text: q.Q, Status: strings.ToLower(q.Status), Route: q.Route, Req: q.Req,
		Limit: q.Limit, Cursor: q.Cursor, Kinds: []record.Kind{record.KindRequest, record.KindLog, record.KindEvent}}
	var err error
	if q.Level != "" {
		if f.Level, err = record.ParseLevel(strings.ToUpper(q.Level)); err != nil {
			return f, &paas.Invalid{Reason: fmt.Sprintf("%q is not a level: use DEBUG, INFO, WARNING, ERROR or CRITICAL", q.Level)}
		}
	}
	if q.Kind != "" {
		f.Kinds = nil
		for name := range strings.SplitSeq(q.Kind, ",") {
			kind, err := record.ParseKind(name)
			if err != nil {
				return f, &paas.Invalid{Reason: fmt.Sprintf("%q is not a kind: use request, log, sample, event or profile", name)}
			}
			f.Kinds = append(f.Kinds, kind)
		}
	}
	if f.Status != "" && !statusForm.MatchString(f.Status) {
		return f, &paas.Invalid{Reason: fmt.Sprintf("%q is not a status: use 404, or 5xx for all from 500 on", q.Status)}
	}
	return f, nil
}
