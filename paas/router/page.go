package router

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"

	"kurama/internal/config"
	"kurama/paas"
)

// page is an answer of the router's own.
type page struct {
	status     int
	title      string // a few words
	detail     string // what happened, why, what to do
	retryAfter int    // s; 0: none
}

func pageUnknownHost(host string) page {
	return page{
		status: http.StatusNotFound, title: "No app here",
		detail: fmt.Sprintf("No app answers on %q. The router looks at the host name alone: check its spelling, or deploy an app of that name.", host),
	}
}

func pageUnknownPath(host string) page {
	return page{
		status: http.StatusNotFound, title: "No app here",
		detail: fmt.Sprintf("Apps answer on %q, but none on this path. Check its spelling.", host),
	}
}

// page returns what a visitor reads about a request that no replica answered.
func (v *visit) page(err error) page {
	if p, ok := v.barred(err); ok {
		return p
	}
	switch {
	case errors.Is(err, errTooLarge):
		return page{http.StatusRequestEntityTooLarge, "Body too large",
			fmt.Sprintf("The request body is larger than the %s that %s takes. Send less, or raise the app's max_body.", config.Bytes(v.bounds.body), v.app.name), 0}
	case errors.Is(err, errQueueFull):
		return page{http.StatusServiceUnavailable, "Too busy",
			fmt.Sprintf("All replicas of %s are busy and %d requests wait already, which is the limit. Try again in a moment.", v.app.name, v.app.queueLimit), 1}
	case errors.Is(err, errQueueWait):
		return page{http.StatusServiceUnavailable, "Too busy",
			fmt.Sprintf("All replicas of %s stayed busy for %s. Try again in a moment, or add replicas.", v.app.name, v.app.queueTimeout), 5}
	case errors.Is(err, errHoldWait):
		return page{http.StatusServiceUnavailable, "Still starting",
			fmt.Sprintf("%s has no replica yet: none came up within %s. Try again in a moment; its logs say what it waits for.", v.app.name, v.app.holdTimeout), 5}
	case errors.Is(err, errNoReplica):
		return noReplica(v.app)
	case errors.Is(err, errNoFile):
		return page{http.StatusNotFound, "Not found",
			fmt.Sprintf("%s has no file here: this path is one of its static folders. Check its spelling.", v.app.name), 0}
	case errors.Is(err, errMethod):
		return page{http.StatusMethodNotAllowed, "Only to be read",
			fmt.Sprintf("%s serves static files here, which take GET and HEAD alone.", v.app.name), 0}
	case errors.Is(err, errTimeout):
		return page{http.StatusGatewayTimeout, "No answer in time",
			fmt.Sprintf("%s took the request but did not answer within %s. Its logs and profile show where the time went.", v.app.name, v.bounds.answer), 0}
	}
	return v.badGateway(err)
}

func (v *visit) badGateway(err error) page {
	p := page{status: http.StatusBadGateway, title: "No answer", retryAfter: 0}
	refused, dialed := errors.AsType[*dialError](err)
	switch {
	case dialed && errors.Is(err, syscall.ECONNREFUSED):
		p.detail = fmt.Sprintf("%s refused the connection on port %s: it has crashed, or it listens elsewhere. Listen on 0.0.0.0:$PORT, and look at its logs.", v.app.name, port(refused.target.Address))
		p.retryAfter = 1
	case dialed:
		p.detail = fmt.Sprintf("The replica of %s could not be reached. It may have just stopped; try again in a moment.", v.app.name)
		p.retryAfter = 1
	case errors.Is(err, errHeadTooLarge):
		p.detail = fmt.Sprintf("%s sent an answer whose headers are larger than %d KiB. Check the size of its cookies.", v.app.name, maxHead>>10)
	case strings.Contains(err.Error(), "malformed"):
		p.detail = fmt.Sprintf("%s answered with something that is not HTTP. Check that its start command starts an HTTP server on $PORT.", v.app.name)
	default:
		p.detail = fmt.Sprintf("%s closed the connection before it answered: its worker has crashed or was stopped. Its logs say more.", v.app.name)
	}
	return p
}

func noReplica(a *app) page {
	p := page{status: http.StatusServiceUnavailable, title: "Not running"}
	switch a.currentState() {
	case paas.AppNew:
		p.detail = fmt.Sprintf("%s has no release yet. Deploy one, and it answers here.", a.name)
	case paas.AppStopped:
		p.detail = fmt.Sprintf("%s is stopped: it is scaled to 0 replicas. Scale it to 1 or more to start it.", a.name)
	case paas.AppDeleting:
		p.status, p.title = http.StatusNotFound, "No app here"
		p.detail = fmt.Sprintf("%s has been deleted.", a.name)
	default:
		p.detail = fmt.Sprintf("%s has no healthy replica: they keep failing. Its releases and logs in the console say why.", a.name)
		p.retryAfter = 5
	}
	return p
}

func port(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return port
}

// writePage answers with p as HTML, or as a problem document where the client
// prefers JSON.
func writePage(w http.ResponseWriter, r *http.Request, p page) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	accept := r.Header.Get("Accept")
	var body []byte
	if strings.Contains(accept, "json") && !strings.Contains(accept, "text/html") {
		h.Set("Content-Type", "application/problem+json")
		body, _ = json.Marshal(map[string]any{"title": p.title, "status": p.status, "detail": p.detail})
		body = append(body, '\n')
	} else {
		h.Set("Content-Type", "text/html; charset=utf-8")
		body = fmt.Appendf(nil, pageHTML, html.EscapeString(p.title), html.EscapeString(p.title), html.EscapeString(p.detail))
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.status)
	_, _ = w.Write(body)
}

const pageHTML = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>%s</title>
<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:16vh auto;padding:0 24px}
h1{font-size:24px;margin:0 0 8px}p{margin:0 0 24px}small{opacity:.7}</style>
<h1>%s</h1><p>%s</p><small>Kurama</small></html>
`
