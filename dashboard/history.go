package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"kurama/paas"
)

// History reads what was stored about apps, for looks into the past. Errors
// that the caller can mend are *paas.Invalid.
type History interface {
	// Course returns what the charts show of s.
	Course(ctx context.Context, s Span) (Course, error)
	// Window returns the figures, routes and newest records of all of s.
	Window(ctx context.Context, s Span) (Window, error)
}

// Span is a part of the past of one app, or with App empty of all apps of the
// tenant. From and To are whole steps.
type Span struct {
	Tenant, App string
	From, To    time.Time // From inclusive, To exclusive
	Step        time.Duration
	Records     bool // whether the records may be shown too
}

// Course is what happened, step by step, in the form of a live frame. Requests
// are per second.
type Course struct {
	Points  []PastPoint  `json:"points"`
	Figures []PastFigure `json:"figures"`
	Host    []PastFigure `json:"host"`
	Events  []PastEvent  `json:"events"`
	// ByClass is false where only the errors are known apart: then S2 are all others.
	ByClass bool `json:"by_class"`
}

// PastPoint is one step; what is not known is nil.
type PastPoint struct {
	T        int64    `json:"t"` // Unix seconds
	Req      float64  `json:"req"`
	S2       float64  `json:"s2"`
	S3       float64  `json:"s3"`
	S4       float64  `json:"s4"`
	S5       float64  `json:"s5"`
	P50      *float64 `json:"p50"` // ms
	P95      *float64 `json:"p95"`
	P99      *float64 `json:"p99"`
	InFlight *float64 `json:"inflight"`
	Queued   *float64 `json:"queued"`
	Replicas *float64 `json:"replicas"`
}

// PastFigure is what one replica, or the host, used during a step, in percent.
type PastFigure struct {
	Replica string   `json:"replica,omitempty"`
	T       int64    `json:"t"`
	CPU     *float64 `json:"cpu"`
	Disk    *float64 `json:"disk"`
	Swap    *float64 `json:"swap"`
	Mem     *float64 `json:"mem"`
}

// PastEvent is what the platform did to an app.
type PastEvent struct {
	T     int64  `json:"t"` // Unix milliseconds
	App   string `json:"app,omitempty"`
	Event string `json:"event"`
	Msg   string `json:"msg"`
}

// Window is a span as a whole.
type Window struct {
	Seconds  float64           `json:"seconds"`
	Requests int64             `json:"requests"`
	Rate     float64           `json:"rate"` // per second
	Errors   int64             `json:"errors"`
	P50      *float64          `json:"p50"` // ms
	P95      *float64          `json:"p95"`
	P99      *float64          `json:"p99"`
	Routes   []PastRoute       `json:"routes"`
	Records  []json.RawMessage `json:"records"` // oldest first
}

// PastRoute is what one route answered; times in ms.
type PastRoute struct {
	Method   string   `json:"method"`
	Route    string   `json:"route"`
	Requests int64    `json:"requests"`
	Errors   int64    `json:"errors"`
	Rate     float64  `json:"rate"`
	P50      *float64 `json:"p50"`
	P95      *float64 `json:"p95"`
	P99      *float64 `json:"p99"`
	CPUMs    *float64 `json:"cpu_ms"`
	DBMs     *float64 `json:"db_ms"`
	Bytes    *float64 `json:"bytes"`
}

// The bounds of a look into the past.
const (
	pastAtOnce   = 4 // queries of all viewers together
	pastPatience = 20 * time.Second
	pastSteps    = 2000
	pastDays     = 8 * 24 * time.Hour
)

// course answers GET /api/history?app&from&to&step (Unix seconds).
func (s *Server) course(w http.ResponseWriter, r *http.Request, who Identity) error {
	span, err := s.span(r, who)
	if err != nil {
		return err
	}
	return past(s, w, r, span, s.opts.History.Course)
}

// window answers GET /api/history/window?app&from&to.
func (s *Server) window(w http.ResponseWriter, r *http.Request, who Identity) error {
	span, err := s.span(r, who)
	if err != nil {
		return err
	}
	span.Records = span.App != ""
	return past(s, w, r, span, s.opts.History.Window)
}

// past asks the history for no more at a time than it can bear beside its
// other work.
func past[T any](s *Server, w http.ResponseWriter, r *http.Request, span Span, ask func(context.Context, Span) (T, error)) error {
	ctx, cancel := context.WithTimeout(r.Context(), pastPatience)
	defer cancel()
	select {
	case s.pastSlots <- struct{}{}:
		defer func() { <-s.pastSlots }()
	case <-ctx.Done():
		return &problem{status: http.StatusServiceUnavailable, detail: "Many people look into the past at the moment. Try again in a few seconds."}
	}
	answer, err := ask(ctx, span)
	var invalid *paas.Invalid
	switch {
	case errors.As(err, &invalid):
		return &problem{status: http.StatusUnprocessableEntity, detail: invalid.Reason}
	case err != nil && r.Context().Err() == nil && ctx.Err() != nil:
		return &problem{status: http.StatusServiceUnavailable, detail: fmt.Sprintf("The history took longer than %s to read. Look at a shorter time.", pastPatience)}
	case err != nil:
		return fmt.Errorf("reading the history of %q: %w", span.App, err)
	}
	return writeJSON(w, answer)
}

// span reads what is asked for and widens it to whole steps.
func (s *Server) span(r *http.Request, who Identity) (Span, error) {
	tenant, err := tenantOf(r, who)
	if err != nil {
		return Span{}, err
	}
	q := r.URL.Query()
	app, err := s.appOf(r, tenant)
	if err != nil {
		return Span{}, err
	}
	numbers := [3]int64{}
	for i, name := range []string{"from", "to", "step"} {
		text := q.Get(name)
		if name == "step" && text == "" {
			text = "1"
		}
		if numbers[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return Span{}, &problem{status: http.StatusUnprocessableEntity, detail: fmt.Sprintf("%s is %q: give whole Unix seconds for from and to, and whole seconds for step.", name, cut(text, 40))}
		}
	}
	from, to, step := numbers[0], numbers[1], numbers[2]
	earliest := time.Now().Add(-pastDays).Unix()
	if step < 1 || step > 86400 || from >= to || from < earliest || to > time.Now().Add(time.Hour).Unix() {
		return Span{}, &problem{status: http.StatusUnprocessableEntity, detail: "The history reaches back 8 days: give a from before to within them, and a step of 1 to 86400 s."}
	}
	if step >= 60 {
		step -= step % 60 // longer steps come from rollups by minute
	}
	from -= from % step
	to += (step - to%step) % step
	if (to-from)/step > pastSteps && q.Get("step") != "" {
		return Span{}, &problem{status: http.StatusUnprocessableEntity, detail: fmt.Sprintf("%d steps are more than %d: ask for longer ones.", (to-from)/step, pastSteps)}
	}
	return Span{Tenant: tenant, App: app, From: time.Unix(from, 0).UTC(), To: time.Unix(to, 0).UTC(), Step: time.Duration(step) * time.Second}, nil
}
