package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// Problem is an error as the API tells it (RFC 9457). Detail is a sentence.
type Problem struct {
	Title  string `json:"title" doc:"Short summary, the same for each problem of this status"`
	Status int    `json:"status" doc:"HTTP status"`
	Detail string `json:"detail" doc:"What happened, why, and what to do"`

	Text string `json:"text,omitempty" doc:"What was written, where the problem is about a place in it"`
	At   int    `json:"at,omitempty" doc:"That place, in characters from 1"`

	retryAfter int // s; 0: says nothing
}

// Error returns the sentence.
func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders returns the headers that go with the problem.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	switch {
	case p.Status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	case p.retryAfter > 0:
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	return h
}

// ContentType returns the media type of problems.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

func newProblem(status int, detail string) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: detail}
}

func forbidden(detail string) error { return newProblem(http.StatusForbidden, detail) }

// What huma itself finds wrong with a request is told in the same form. It can
// be set for the whole process only.
func init() {
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		parts := make([]string, 0, len(errs))
		for _, err := range errs {
			var at *huma.ErrorDetail
			if errors.As(err, &at) && at.Location != "" {
				parts = append(parts, at.Location+": "+at.Message)
			} else if err != nil && status < http.StatusInternalServerError {
				parts = append(parts, err.Error())
			}
		}
		if len(parts) > 0 {
			msg = "The request does not fit: " + strings.Join(parts, "; ") + "."
		}
		return newProblem(status, sentence(msg))
	}
}

// problem is the one place that turns errors into statuses and sentences. What
// it does not know becomes a 500 without detail: the log has the reason.
func (a *API) problem(ctx context.Context, err error) error {
	var (
		known     *Problem
		invalid   *paas.Invalid
		throttled *paas.Throttled
	)
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &invalid):
		p := newProblem(http.StatusUnprocessableEntity, sentence(invalid.Reason))
		p.Text, p.At = invalid.Text, invalid.At
		return p
	case errors.As(err, &throttled):
		p := newProblem(http.StatusTooManyRequests, throttled.Error())
		p.retryAfter = throttled.Seconds()
		return p
	case errors.Is(err, paas.ErrDenied):
		return newProblem(http.StatusUnauthorized, deniedSentence(err))
	case errors.Is(err, paas.ErrNotFound):
		return newProblem(http.StatusNotFound, "There is no "+without(err, paas.ErrNotFound)+".")
	case errors.Is(err, paas.ErrExists):
		return newProblem(http.StatusConflict, sentence(without(err, paas.ErrExists)+" exists already"))
	case errors.Is(err, paas.ErrConflict):
		return newProblem(http.StatusConflict, sentence(without(err, paas.ErrConflict)))
	case errors.Is(err, syscall.ENOSPC):
		a.log.Error("the disk is full", "err", err)
		return newProblem(http.StatusInsufficientStorage,
			"The platform's disk is full; nothing was stored. Free some space, or ask the operator to.")
	case ctx.Err() != nil:
		return newProblem(http.StatusServiceUnavailable, "The request was given up before it was done.")
	case errors.Is(err, context.DeadlineExceeded):
		return newProblem(http.StatusServiceUnavailable, "The answer took too long and was given up. Ask for a shorter time, or again in a moment.")
	}
	id := rand.Text()[:8]
	a.log.Error("request failed", "id", id, "err", err)
	return newProblem(http.StatusInternalServerError,
		fmt.Sprintf("Something failed inside Kurama. Its log has the reason under %s.", id))
}

// writeProblem answers r outside of a handler of huma's, and returns the
// sentence.
func (a *API) writeProblem(w http.ResponseWriter, r *http.Request, err error) string {
	var p *Problem
	if !errors.As(a.problem(r.Context(), err), &p) {
		return "" // problem returns nothing else
	}
	p.write(w)
	return p.Detail
}

func (p *Problem) write(w http.ResponseWriter) {
	for key, values := range p.GetHeaders() {
		w.Header()[key] = values
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the caller is gone if this fails
}

func unknownRoute(w http.ResponseWriter, r *http.Request) {
	newProblem(http.StatusNotFound, fmt.Sprintf("There is no %s %s. See %s/openapi.json.", r.Method, r.URL.Path, Prefix)).write(w)
}

// without returns the text of err without the sentinel at its end.
func without(err, sentinel error) string {
	return strings.TrimSuffix(strings.TrimSuffix(err.Error(), sentinel.Error()), ": ")
}

func deniedSentence(err error) string {
	if text := without(err, paas.ErrDenied); text != "" {
		return sentence(text)
	}
	return "You are not signed in. Sign in, or send Authorization: Bearer TOKEN."
}

// sentence starts s with a capital, unless its first word is a name such as
// load_up or app.py, and ends it with a full stop.
func sentence(s string) string {
	word, _, _ := strings.Cut(s, " ")
	if !strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }) {
		first, size := utf8.DecodeRuneInString(s)
		s = string(unicode.ToUpper(first)) + s[size:]
	}
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "!") || strings.HasSuffix(s, "…") {
		return s
	}
	return s + "."
}
