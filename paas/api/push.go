package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	"kurama/paas"
)

// Pushes takes what people push with git.
type Pushes interface {
	// Advertise tells a client of git's what an app's repository has. It returns
	// *paas.Invalid where no push can be taken.
	Advertise(ctx context.Context, tenant, app string, w io.Writer) error
	// Receive takes a push and answers it. It returns why it was refused.
	Receive(ctx context.Context, p paas.Push) error
}

// pushPrefix is the path below which each app has the address that git pushes to.
const pushPrefix = "/git/"

// pushOp is a push as the audit log and the scopes of tokens know it. It is none of
// the description: git speaks its own protocol (gitprotocol-http(5)).
var pushOp = huma.Operation{OperationID: "push", Method: http.MethodPost, Path: pushPrefix + "{tenant}/{app}", Summary: "Push an app with git and deploy it"}

func (a *API) pushRoutes(mux *http.ServeMux) {
	a.summaries[pushOp.OperationID] = pushOp.Summary
	mux.HandleFunc("GET "+pushOp.Path+"/info/refs", a.advertise)
	mux.HandleFunc("POST "+pushOp.Path+"/git-receive-pack", a.push)
	mux.HandleFunc(pushPrefix, func(w http.ResponseWriter, r *http.Request) {
		a.refusePush(w, r, newProblem(http.StatusNotFound, "An app is pushed to "+pushPrefix+"TENANT/APP; see `kurama git APP`."))
	})
}

// advertise answers what git asks first.
func (a *API) advertise(w http.ResponseWriter, r *http.Request) {
	service := r.URL.Query().Get("service")
	c, err := a.pusher(w, r)
	if err == nil && service != "git-receive-pack" {
		err = forbidden("Kurama takes pushes and gives nothing back: fetch and clone from where the source is kept.")
	}
	var refs strings.Builder
	if err == nil {
		err = a.deps.Pushes.Advertise(c.r.Context(), c.tenant, c.r.PathValue("app"), &refs)
	}
	if err != nil {
		a.refusePush(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-git-receive-pack-advertisement")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = io.WriteString(w, refs.String()) // the caller is gone if this fails
}

// pusher recognises who pushes: git sends a token as the password of any user. The
// path says whose app it is.
func (a *API) pusher(w http.ResponseWriter, r *http.Request) (*call, error) {
	in := r.Clone(r.Context())
	in.URL.RawQuery = url.Values{"tenant": {r.PathValue("tenant")}}.Encode()
	in.SetPathValue("app", strings.TrimSuffix(r.PathValue("app"), ".git"))
	if _, token, ok := r.BasicAuth(); ok {
		in.Header.Set("Authorization", "Bearer "+token)
	}
	c := &call{op: &pushOp, begun: time.Now(), r: in, w: w}
	if in.Header.Get("Authorization") == "" { // a cookie does not push
		return c, fmt.Errorf("Push with any user name, and with a token that may deploy as the password; `kurama git APP` shows how: %w", paas.ErrDenied)
	}
	err := a.authorize(c, paas.RoleDeveloper)
	if err == nil {
		err = checkScope(c, &pushOp, paas.RoleDeveloper)
	}
	if err == nil && paas.CheckName("an app", in.PathValue("app")) != nil {
		err = &paas.Invalid{Reason: paas.CheckName("an app", in.PathValue("app")).Error()}
	}
	c.r = in.WithContext(paas.ForTenant(in.Context(), c.tenant))
	return c, err
}

// refusePush answers with a sentence, which git shows as it is only where it is text.
func (a *API) refusePush(w http.ResponseWriter, r *http.Request, err error) *Problem {
	p := a.told(r.Context(), err)
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="Kurama"`)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(p.Status)
	_, _ = io.WriteString(w, p.Detail+"\n") // the caller is gone if this fails
	return p
}

// told is what is told of err.
func (a *API) told(ctx context.Context, err error) *Problem {
	var p *Problem
	errors.As(a.problem(ctx, err), &p) // it returns nothing else
	return p
}

// push takes a push. Its answer is git's, whatever becomes of it, so the audit log
// is told apart.
func (a *API) push(w http.ResponseWriter, r *http.Request) {
	c, err := a.pusher(w, r)
	if err == nil && r.Header.Get("Content-Type") != "application/x-git-receive-pack-request" {
		err = newProblem(http.StatusUnsupportedMediaType, "This address is for git: use `git push`.")
	}
	c.refused = http.StatusOK
	defer func() { a.note(c, c.refused) }()
	refused := func(p *Problem) { c.refused, c.failure = p.Status, p.Detail }
	if err != nil {
		refused(a.refusePush(w, r, err))
		return
	}
	c.trial = r.ContentLength == 4 // git asks whether it may before it sends much
	w.Header().Set("Content-Type", "application/x-git-receive-pack-result")
	w.Header().Set("Cache-Control", "no-cache")
	out := &pushAnswer{w: w, control: c.control()}
	defer func() { _ = c.control().SetReadDeadline(time.Time{}) }()
	err = a.deps.Pushes.Receive(c.r.Context(), paas.Push{Tenant: c.tenant, App: c.r.PathValue("app"), Answer: out,
		Body: &cappedReader{r: r.Body, left: math.MaxInt64, control: c.control()},
		Explain: func(err error) string {
			refused(a.told(c.r.Context(), err))
			return c.failure
		},
		Deploy: func(ctx context.Context, p paas.Pushed, say io.Writer) error { return a.deployPush(ctx, c, p, say) }})
	switch {
	case err == nil || c.failure != "":
	case out.begun:
		refused(a.told(c.r.Context(), err))
	default:
		refused(a.refusePush(w, r, err))
	}
}

// deployPush deploys what was pushed, tells its build log as it is written, and
// returns once the release is live. From then on nobody has to listen.
func (a *API) deployPush(ctx context.Context, c *call, p paas.Pushed, say io.Writer) error {
	app := c.r.PathValue("app")
	release, err := a.begin(ctx, c, app, p.Upload)
	if err != nil {
		return err
	}
	fmt.Fprintf(say, "Release %d of %s: %s\n", release.Number, app, p.Commit)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(a.streams, cancel)()
	release, err = a.watchBuild(ctx, c.tenant, app, release.Number, func(lines []paas.BuildLine) error {
		for _, l := range lines {
			fmt.Fprint(say, buildText(l))
		}
		return nil
	})
	switch {
	case ctx.Err() != nil:
		return &paas.Invalid{Reason: fmt.Sprintf("Kurama is stopping, and does not wait for release %d of %s. `kurama releases %s` says what became of it.", release.Number, app, app)}
	case err != nil:
		return err
	case release.State == paas.ReleaseFailed:
		why, _, _ := strings.Cut(plain(release.Reason), "\n") // the rest stands above
		return &paas.Invalid{Reason: fmt.Sprintf("Release %d of %s failed: %s", release.Number, app, strings.TrimSuffix(why, " It wrote last:"))}
	}
	fmt.Fprintf(say, "%s is live after %.1f s: %s\n", app, time.Since(c.begun).Seconds(), a.address(c.tenant, app))
	return nil
}

// buildText is a line of a build log as it is told to whoever pushes. That the release
// is live or has failed is told after it, so of a failure only what it shows is left.
func buildText(l paas.BuildLine) string {
	text := plain(l.Line)
	switch l.Step {
	case "done":
		return ""
	case "failed":
		_, text, _ = strings.Cut(text, "\n")
		if text == "" {
			return ""
		}
	}
	return fmt.Sprintf("  %-12s %s\n", l.Step, strings.ReplaceAll(text, "\n", "\n  "+strings.Repeat(" ", 13)))
}

// plain keeps what an app or its packages wrote from steering the terminal of
// whoever pushes.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
}

// pushAnswer sends what git says at once. Its writes never fail: a deploy that has
// begun goes on without its caller.
type pushAnswer struct {
	w       io.Writer
	control *http.ResponseController
	begun   bool
	gone    bool
}

// Write sends p, unless the caller is gone.
func (o *pushAnswer) Write(p []byte) (int, error) {
	o.begun = true
	if !o.gone {
		_ = o.control.SetWriteDeadline(time.Now().Add(writePatience))
		_, err := o.w.Write(p)
		o.gone = err != nil || o.control.Flush() != nil
	}
	return len(p), nil
}
