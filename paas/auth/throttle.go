package auth

import (
	"context"
	"math"
	"net/netip"
	"strings"
	"sync"
	"time"

	"kurama/paas"
)

// What a guesser meets. An address has a bucket of tries, and is refused when
// it is empty. A name is never refused, or whoever knows it could lock its
// owner out: the failures of the last minutes make its next sign-ins slower,
// from wherever they come.
const (
	maxThrottled = 10_000 // addresses and names kept, each
	freeStrikes  = 5      // failures of a name that cost nothing
	firstDelay   = 250 * time.Millisecond
	longestDelay = 8 * time.Second
	strikeAge    = time.Minute // a strike is forgotten after this
	maxPending   = 8           // sign-ins of one address that wait at a time
)

// throttle counts sign-ins that failed, whether their names exist or not.
type throttle struct {
	perMinute int // 0: no bound for addresses
	mu        sync.Mutex
	sources   map[netip.Prefix]*source
	names     map[string]*strikes
}

// source is an address with the tries it has left.
type source struct {
	tries   float64
	at      time.Time
	pending int
}

// strikes are the failures of a name.
type strikes struct {
	count float64
	at    time.Time
}

func newThrottle(perMinute int) *throttle {
	return &throttle{perMinute: perMinute, sources: map[netip.Prefix]*source{}, names: map[string]*strikes{}}
}

// sourceOf is what counts as one address: a subscriber of IPv6 has a /64.
func sourceOf(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil { // an address that is not valid: a socket, in tests
		return netip.Prefix{}
	}
	return p
}

// try is one sign-in under way.
type try struct {
	t    *throttle
	from netip.Prefix
	name string
}

// begin spends a try of the address and a strike of the name before the
// password is looked at, so that many at once do not pass together, and waits
// as long as the name's failures ask for; without a name, only the address
// counts. It returns *paas.Throttled when the
// address has no try left, and ctx's error when that ends first.
func (t *throttle) begin(ctx context.Context, from netip.Addr, name string) (*try, error) {
	y := &try{t: t, from: sourceOf(from), name: strings.ToLower(name)}
	delay, err := y.spend(time.Now())
	if err != nil {
		return nil, err
	}
	defer y.waited()
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return y, nil
	}
}

func (y *try) spend(now time.Time) (time.Duration, error) {
	t := y.t
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.source(y.from, now)
	if t.perMinute > 0 && s.tries < 1 {
		missing := (1 - s.tries) / float64(t.perMinute)
		return 0, &paas.Throttled{RetryAfter: time.Duration(missing * float64(time.Minute))}
	}
	if s.pending >= maxPending {
		return 0, &paas.Throttled{RetryAfter: longestDelay}
	}
	s.tries--
	s.pending++
	if y.name == "" {
		return 0, nil
	}
	n := t.strikes(y.name, now)
	delay := delayOf(int(math.Round(n.count)))
	n.count++
	return delay, nil
}

// delayOf doubles with each failure beyond those that cost nothing.
func delayOf(failures int) time.Duration {
	over := failures - freeStrikes
	if over < 0 {
		return 0
	}
	return min(longestDelay, firstDelay<<min(over, 10))
}

func (y *try) waited() {
	y.t.mu.Lock()
	defer y.t.mu.Unlock()
	y.t.source(y.from, time.Now()).pending--
}

// succeeded gives back what the try had spent. More would let a guesser with
// an account of their own start afresh after each handful of guesses.
func (y *try) succeeded() {
	y.t.mu.Lock()
	defer y.t.mu.Unlock()
	now := time.Now()
	y.t.source(y.from, now).tries++
	if y.name == "" {
		return
	}
	n := y.t.strikes(y.name, now)
	n.count = max(0, n.count-1)
}

// source returns an address with the tries that it has by now.
func (t *throttle) source(p netip.Prefix, now time.Time) *source {
	s, ok := t.sources[p]
	if !ok {
		if len(t.sources) >= maxThrottled {
			t.forgetSources(now)
		}
		s = &source{tries: float64(t.perMinute), at: now}
		t.sources[p] = s
	}
	s.tries = min(float64(t.perMinute), s.tries+now.Sub(s.at).Minutes()*float64(t.perMinute))
	s.at = now
	return s
}

// forgetSources drops the addresses that have recovered.
func (t *throttle) forgetSources(now time.Time) {
	for p, s := range t.sources {
		if s.pending == 0 && now.Sub(s.at) >= time.Minute {
			delete(t.sources, p)
		}
	}
}

func (t *throttle) strikes(name string, now time.Time) *strikes {
	n, ok := t.names[name]
	if !ok {
		if len(t.names) >= maxThrottled {
			t.forgetNames(now)
		}
		n = &strikes{at: now}
		t.names[name] = n
	}
	n.count = max(0, n.count-now.Sub(n.at).Minutes()/strikeAge.Minutes())
	n.at = now
	return n
}

// forgetNames drops the names that have recovered, and failing that all: a
// guesser who spends 10,000 names to get there gains a handful of quick tries.
func (t *throttle) forgetNames(now time.Time) {
	for name, n := range t.names {
		if n.count-now.Sub(n.at).Minutes() <= 0 {
			delete(t.names, name)
		}
	}
	if len(t.names) >= maxThrottled {
		clear(t.names)
	}
}
