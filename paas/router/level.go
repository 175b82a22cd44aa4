package router

import "time"

// level follows how many requests an app has in flight or waiting, and the
// mean of that since it was last asked: what a look once a second would miss
// of requests that take milliseconds. The app's mu guards it.
type level struct {
	n     int
	area  float64 // n × s since began
	since time.Time
	began time.Time
}

// add counts n more requests from now on.
func (l *level) add(n int, now time.Time) {
	l.settle(now)
	l.n += n
}

func (l *level) settle(now time.Time) {
	if l.since.IsZero() {
		l.since, l.began = now, now
	}
	l.area += float64(l.n) * now.Sub(l.since).Seconds()
	l.since = now
}

// mean returns the mean since the last call, and begins anew.
func (l *level) mean(now time.Time) float64 {
	l.settle(now)
	mean := float64(l.n)
	if span := now.Sub(l.began).Seconds(); span > 0 {
		mean = l.area / span
	}
	l.area, l.began = 0, now
	return mean
}
