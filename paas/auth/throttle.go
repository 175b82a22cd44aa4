package auth

import (
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"kurama/paas"
)

// maxThrottled bounds the names kept. Beyond it the names that have recovered
// are forgotten, and failing that all of them: a guesser who spends 10,000
// names to get there gains a handful of tries.
const maxThrottled = 10_000

// throttle counts failed sign-ins per name, whether the name exists or not.
type throttle struct {
	perMinute int
	mu        sync.Mutex
	names     map[string]*rate.Limiter
}

func newThrottle(perMinute int) *throttle {
	return &throttle{perMinute: max(1, perMinute), names: map[string]*rate.Limiter{}}
}

// take spends one try of name; it returns *paas.Throttled when none is left.
// The try is spent before the password is looked at, so that many at once do
// not pass together.
func (t *throttle) take(name string, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	l, ok := t.names[strings.ToLower(name)]
	if !ok {
		t.makeRoom(now)
		l = rate.NewLimiter(rate.Limit(float64(t.perMinute)/60), t.perMinute)
		t.names[strings.ToLower(name)] = l
	}
	if !l.AllowN(now, 1) {
		missing := 1 - l.TokensAt(now)
		return &paas.Throttled{RetryAfter: time.Duration(missing / float64(l.Limit()) * float64(time.Second))}
	}
	return nil
}

// forgive gives name all its tries back after a success.
func (t *throttle) forgive(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.names, strings.ToLower(name))
}

func (t *throttle) makeRoom(now time.Time) {
	if len(t.names) < maxThrottled {
		return
	}
	for name, l := range t.names {
		if l.TokensAt(now) >= float64(t.perMinute) {
			delete(t.names, name)
		}
	}
	if len(t.names) >= maxThrottled {
		clear(t.names)
	}
}
