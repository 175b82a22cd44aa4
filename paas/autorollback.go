package paas

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// AutoRollback says whether an app goes back to its former release by itself,
// and what counts as clearly worse; see Judge. A field that is 0 stands for that
// of DefaultAutoRollback.
type AutoRollback struct {
	Auto   bool    `json:"auto"`
	Within float64 `json:"within" doc:"Seconds after a release went live in which it is watched; a canary is watched as long as it is one"`
	Errors float64 `json:"errors" doc:"Percentage points by which more requests of a route fail"`
	P95    float64 `json:"p95" doc:"How many times the former p95 of a route"`
	Memory float64 `json:"memory" doc:"Percent of its limit by which a replica holds more on average"`
}

// DefaultAutoRollback is what an app has that says nothing else: it is watched
// only where somebody asks for it.
func DefaultAutoRollback() AutoRollback {
	return AutoRollback{Within: 600, Errors: 5, P95: 2, Memory: 25}
}

// AutoRollbackChange is what is to be otherwise; what is nil stays.
type AutoRollbackChange struct {
	Auto   *bool    `json:"auto,omitempty"`
	Within *float64 `json:"within,omitempty" doc:"Seconds, 60 to 3600"`
	Errors *float64 `json:"errors,omitempty" doc:"Percentage points, 0.1 to 100"`
	P95    *float64 `json:"p95,omitempty" doc:"Times, 1.1 to 100"`
	Memory *float64 `json:"memory,omitempty" doc:"Percent of the limit, 1 to 100"`
}

// Bounds of what can be asked for: figures of a release are of an hour at most.
const (
	minWatch = time.Minute
	maxWatch = time.Hour
)

// Full returns r with the defaults where it says nothing.
func (r AutoRollback) Full() AutoRollback {
	d := DefaultAutoRollback()
	for _, f := range []struct {
		to   *float64
		from float64
	}{{&r.Within, d.Within}, {&r.Errors, d.Errors}, {&r.P95, d.P95}, {&r.Memory, d.Memory}} {
		if *f.to == 0 {
			*f.to = f.from
		}
	}
	return r
}

// Window returns how long a release is watched after it went live.
func (r AutoRollback) Window() time.Duration {
	return time.Duration(r.Full().Within * float64(time.Second))
}

// Check returns *Invalid where c asks for what cannot be.
func (c AutoRollbackChange) Check() error {
	for _, f := range []struct {
		name      string
		is        *float64
		low, high float64
		unit      string
	}{
		{"within", c.Within, minWatch.Seconds(), maxWatch.Seconds(), " s"},
		{"errors", c.Errors, 0.1, 100, " %"},
		{"p95", c.P95, 1.1, 100, " times"},
		{"memory", c.Memory, 1, 100, " %"},
	} {
		if f.is != nil && !(*f.is >= f.low && *f.is <= f.high) {
			return &Invalid{Reason: fmt.Sprintf("`%s` cannot be %g%s: use %g to %g%s.", f.name, *f.is, f.unit, f.low, f.high, f.unit)}
		}
	}
	return nil
}

// Set reads one field as people write it: auto true, within 10m, errors 5%, p95
// 2x, memory 25%. It returns *Invalid for what cannot be one.
func (c *AutoRollbackChange) Set(field, text string) error {
	number := func(to **float64, unit, example string) error {
		v, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, unit)), 64)
		if err != nil {
			return &Invalid{Reason: fmt.Sprintf("`%s` is a number, such as `%s`, not %q.", field, example, text)}
		}
		*to = &v
		return c.Check()
	}
	switch field {
	case "auto":
		auto, known := map[string]bool{"true": true, "on": true, "false": false, "off": false}[text]
		if !known {
			return &Invalid{Reason: fmt.Sprintf("`auto` is `true` or `false`, not %q.", text)}
		}
		c.Auto = &auto
		return nil
	case "within":
		d, err := time.ParseDuration(text)
		if err != nil {
			return &Invalid{Reason: fmt.Sprintf("`within` is a duration, such as `10m`, not %q.", text)}
		}
		s := d.Seconds()
		c.Within = &s
		return c.Check()
	case "errors":
		return number(&c.Errors, "%", "5%")
	case "p95":
		return number(&c.P95, "x", "2x")
	case "memory":
		return number(&c.Memory, "%", "25%")
	}
	return &Invalid{Reason: fmt.Sprintf("`%s` is not known; the keys are `auto`, `within`, `errors`, `p95` and `memory`.", field)}
}

// Before returns the release that was live before r, to compare it with and to
// go back to; releases are all of the app. One that Kurama took back is none, nor
// is a rollback to such a one.
func (r Release) Before(releases []Release) (Release, bool) {
	bad := map[int]bool{}
	for _, other := range releases {
		bad[other.Number] = other.RolledBack != ""
	}
	served := r.LiveAt
	if served == nil {
		served = r.CanaryAt
	}
	var before Release
	for _, other := range releases {
		late := served != nil && other.LiveAt != nil && !other.LiveAt.Before(*served)
		if other.Number == r.Number || other.LiveAt == nil || late || bad[other.Number] || bad[other.RollbackOf] {
			continue
		}
		if before.LiveAt == nil || other.LiveAt.After(*before.LiveAt) {
			before = other
		}
	}
	return before, before.LiveAt != nil
}

// Watched reports whether r, the live release or the canary of an app that
// goes back by itself, is still looked at. What a person put in front of
// everybody on purpose is not: a rollback, or a canary that was promoted.
func (r Release) Watched(policy AutoRollback, now time.Time) bool {
	switch {
	case !policy.Auto || r.RollbackOf > 0:
		return false
	case r.State == ReleaseCanary:
		return true
	}
	return r.LiveAt != nil && r.CanaryAt == nil && now.Sub(*r.LiveAt) < policy.Window()
}
