package router

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"

	"kurama/paas"
)

// canaryAge is how long a client keeps its draw, s.
const canaryAge = 86_400

// draw decides whether a client gets the canary. Each client draws a number of
// 0 to 99 once, which its cookie keeps: below the share it gets the canary, so
// that it stays there while the share grows. A client without cookies draws
// anew with each request. The second result is the cookie to be set, or nil.
func draw(r *http.Request, app string, c *paas.Canary) (bool, *http.Cookie) {
	name, release := "kurama-canary-"+app, strconv.Itoa(c.Release)
	if kept, err := r.Cookie(name); err == nil {
		of, text, _ := strings.Cut(kept.Value, ".")
		if n, err := strconv.Atoi(text); err == nil && of == release && 0 <= n && n < 100 {
			return n < c.Share, nil
		}
	}
	n := rand.IntN(100)
	return n < c.Share, &http.Cookie{Name: name, Value: release + "." + strconv.Itoa(n), Path: "/", MaxAge: canaryAge,
		HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// choice is which release a request is for, while an app has a canary.
type choice struct {
	release int // the canary; 0: there is none, and any will do
	canary  bool
}

// fits reports whether t is of the release that the request is for.
func (c choice) fits(t *target) bool { return c.release == 0 || (t.Release == c.release) == c.canary }
