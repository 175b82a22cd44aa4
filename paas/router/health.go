package router

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"
)

const (
	latencyShare  = 0.2             // of the newest answer in a target's mean latency
	latencyForget = 5 * time.Second // in which an old mean loses most of its weight, so that a slow target is tried again
	latencyNoise  = 2.0             // times the fastest target's latency that is no difference yet
	coldest       = 0.1             // share of its part that a target gets when it is new
	silentLeast   = 2 * time.Second // without a sign, while others answer, after which a target is left out
	silentTimes   = 10.0            // … or so many times the latency, where that is more
	outMost       = 10              // times eject_for that a target is left out at most
)

// health is what the balancer knows of a target beside its requests in flight.
// The app's mu guards it.
type health struct {
	since    time.Time // when it came into the table
	latency  float64   // s from the request until the answer begins, a mean of the last ones; 0: not known
	measured time.Time // when that was last measured
	pending  int       // requests to which no answer has begun
	quiet    time.Time // since when none has begun, where some are pending
	failed   int       // requests in a row that it failed
	outUntil time.Time // it is left out until then; zero: it is not
	outs     int       // how often in a row
}

// slowness returns how many times longer than the fastest target this one lets
// a request wait, as far as is known; 1 where there is no telling difference.
// Requests that wait for their answer count as long as they have waited: a
// target that freezes is avoided before its first request has failed.
func (h *health) slowness(now time.Time, fastest float64) float64 {
	latency := 0.0
	if h.latency > 0 {
		latency = h.latency * math.Exp(-now.Sub(h.measured).Seconds()/latencyForget.Seconds())
	}
	if h.pending > 0 {
		latency = max(latency, now.Sub(h.quiet).Seconds())
	}
	if fastest == 0 || latency <= latencyNoise*fastest {
		return 1
	}
	return latency / fastest
}

// warmth returns the share of its part that a new target gets, growing to 1.
func (h *health) warmth(now time.Time, slowStart time.Duration) float64 {
	age := now.Sub(h.since)
	if age >= slowStart {
		return 1
	}
	return max(age.Seconds()/slowStart.Seconds(), coldest)
}

// asked counts a request whose answer is waited for from now on.
func (h *health) asked(now time.Time) {
	if h.pending == 0 {
		h.quiet = now
	}
	h.pending++
}

// uploads takes a request to t out of those whose answer is waited for: how long
// that takes is up to the client that sends its body.
func (a *app) uploads(t *target) {
	a.mu.Lock()
	t.pending--
	a.mu.Unlock()
}

// out reports whether the target is left out.
func (h *health) out(now time.Time) bool { return now.Before(h.outUntil) }

// fastest returns the least latency of the targets that are not left out; 0
// where none is known. The caller holds mu.
func (a *app) fastest(now time.Time) (least float64) {
	for _, t := range a.targets {
		if t.latency > 0 && !t.out(now) && (least == 0 || t.latency < least) {
			least = t.latency
		}
	}
	return least
}

// began notes how a request to t went: its answer began, in which case failure
// is "" or says why it counts as none, or there will be no answer. A request of
// which the client is the cause tells nothing of t.
func (a *app) began(t *target, asked time.Time, streams bool, resp *http.Response, err error) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !streams {
		t.pending--
	}
	failure, tells := failureOf(resp, err)
	if !tells {
		return
	}
	t.quiet = now
	if failure != "" {
		if t.failed++; t.failed >= a.cfg.EjectAfter {
			a.leaveOut(t, now, fmt.Sprintf("%d requests in a row failed on it, the last because %s", t.failed, failure))
		}
		return
	}
	if t.failed = 0; !t.outUntil.IsZero() {
		t.outUntil, t.outs = time.Time{}, 0
		a.log.Info("A replica answers again and takes requests.", "tenant", a.tenant, "app", a.name, "replica", t.Replica)
	}
	if !streams {
		took := now.Sub(asked).Seconds()
		if t.latency == 0 {
			t.latency = took
		}
		t.latency += latencyShare * (took - t.latency)
		t.measured = now
	}
}

// failureOf says in what a request's outcome is the target's failure, "" where
// it is none, and whether it tells anything of the target. An error of the app
// itself (500) is none: all replicas have that.
func failureOf(resp *http.Response, err error) (failure string, tells bool) {
	switch {
	case err == nil && (resp.StatusCode == http.StatusBadGateway || resp.StatusCode == http.StatusServiceUnavailable || resp.StatusCode == http.StatusGatewayTimeout):
		return fmt.Sprintf("it answered %d", resp.StatusCode), true
	case err == nil:
		return "", true
	case errors.Is(err, errClient), errors.Is(err, errTooLarge):
		return "", false
	}
	return err.Error(), true
}

// silent leaves t out where it has been silent for long while another target
// has answered. The caller holds mu.
func (a *app) silent(t *target, now time.Time, fastest float64) {
	if t.pending == 0 || fastest == 0 || t.out(now) {
		return
	}
	quiet := now.Sub(t.quiet)
	if quiet < max(silentLeast, time.Duration(silentTimes*max(t.latency, fastest)*float64(time.Second))) {
		return
	}
	for _, other := range a.targets {
		if other != t && other.measured.After(t.quiet) {
			a.leaveOut(t, now, fmt.Sprintf("it has begun no answer for %s, with %d pending, while others answer", quiet.Round(100*time.Millisecond), t.pending))
			return
		}
	}
}

// leaveOut keeps requests from t for a while, each time for longer, unless half
// of the targets are left out already: then it is not the target. The caller
// holds mu.
func (a *app) leaveOut(t *target, now time.Time, why string) {
	if a.cfg.EjectAfter == 0 || t.out(now) {
		return
	}
	n := 1
	for _, other := range a.targets {
		if other != t && other.out(now) {
			n++
		}
	}
	if 2*n > len(a.targets) {
		return
	}
	t.outs, t.failed = min(t.outs+1, outMost), 0
	pause := time.Duration(t.outs) * a.cfg.EjectFor
	if t.outUntil.IsZero() { // one that was not well again in between is told of once
		a.log.Warn("A replica is left out of the balancing.", "tenant", a.tenant, "app", a.name, "replica", t.Replica, "for", pause, "reason", why)
	}
	t.outUntil = now.Add(pause)
	a.ejections.Add(1)
}
