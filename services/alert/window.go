package alert

import (
	"time"

	"github.com/DataDog/sketches-go/ddsketch"

	"kurama/logship/record"
)

const (
	windowSeconds = 60   // what request figures are about
	accuracy      = 0.01 // relative error of a quantile
)

// window holds the requests and logs of one app over the last minute, as a
// ring of slices of one second.
type window struct {
	slices [windowSeconds]slice
}

type slice struct {
	second   int64 // Unix; the slice is of this second and no other
	requests int
	errors   int // status 500 and above
	status   int
	level    record.Level
	durs     *ddsketch.DDSketch // nil until the first; reused
	timed    bool               // durs holds something of this second
}

// add counts r in the second of t. A second that has left the window is
// ignored.
func (w *window) add(t time.Time, r *record.Record) {
	second := t.Unix()
	s := &w.slices[second%windowSeconds]
	switch {
	case second < s.second:
		return
	case second > s.second:
		*s = slice{second: second, durs: s.durs}
	}
	s.level = max(s.level, r.Level)
	if r.Kind != record.KindRequest {
		return
	}
	s.requests++
	s.status = max(s.status, r.Status)
	if r.Status >= 500 {
		s.errors++
	}
	if r.Dur.Known && r.Dur.Value >= 0 {
		s.time(r.Dur.Value)
	}
}

func (s *slice) time(ms float64) {
	if s.durs == nil {
		// The accuracy is a constant within bounds: no error can come.
		s.durs, _ = ddsketch.NewDefaultDDSketch(accuracy)
	}
	if !s.timed {
		s.durs.Clear()
		s.timed = true
	}
	_ = s.durs.Add(ms) // fails for values beyond what a float can index; such a time is left out
}

// totals are the sums over the window that ends at now.
type totals struct {
	requests, errors, status int
	level                    record.Level
	durs                     *ddsketch.DDSketch // nil without a timed request
}

// totals sums up the seconds of the minute that ends at now.
func (w *window) totals(now time.Time) totals {
	var t totals
	end := now.Unix()
	for i := range w.slices {
		s := &w.slices[i]
		if s.second > end || s.second <= end-windowSeconds {
			continue
		}
		t.requests += s.requests
		t.errors += s.errors
		t.status = max(t.status, s.status)
		t.level = max(t.level, s.level)
		if !s.timed {
			continue
		}
		if t.durs == nil {
			t.durs = s.durs.Copy()
		} else if t.durs.MergeWith(s.durs) != nil {
			return totals{} // never: all sketches share one mapping
		}
	}
	return t
}
