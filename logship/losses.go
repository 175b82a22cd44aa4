package logship

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"kurama/logship/record"
)

// maxOwners bounds the apps whose losses are counted apart.
const maxOwners = 4096

// loss is what an app loses for one cause.
type loss struct{ tenant, app, cause string }

// losses counts dropped records until they are told as events.
type losses struct {
	total func(n int) // counts for the metrics

	mu     sync.Mutex
	counts map[loss]int

	slow string             // a cause that lasts for hours: it is told at once and then each toldAgain
	told map[loss]time.Time // when losses of that cause were
}

// toldAgain is the time between two events of a cause that lasts.
const toldAgain = 10 * time.Minute

// add counts n records of an app as dropped.
func (l *losses) add(tenant, app, cause string, n int) {
	l.total(n)
	l.mu.Lock()
	defer l.mu.Unlock()
	key := loss{tenant, app, cause}
	if _, ok := l.counts[key]; !ok {
		if len(l.counts) >= maxOwners {
			key = loss{cause: cause}
		}
		key = loss{strings.Clone(key.tenant), strings.Clone(key.app), key.cause}
	}
	l.counts[key] += n
}

// take returns the events that tell of the losses since the last call.
func (l *losses) take(now time.Time) []record.Record {
	counts := l.due(now)
	events := make([]record.Record, 0, len(counts))
	for key, n := range counts {
		events = append(events, record.Record{Time: now, ID: record.NewID(now), Kind: record.KindEvent, Level: record.LevelWarning,
			Tenant: key.tenant, App: key.app, Msg: fmt.Sprintf("%d records were dropped: %s.", n, key.cause),
			Extra: fmt.Appendf(nil, `{"event":"dropped","count":%d}`, n)})
	}
	return events
}

// due returns the losses that are to be told now, and forgets them.
func (l *losses) due(now time.Time) map[loss]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	counts := l.counts
	l.counts = map[loss]int{}
	for key, n := range counts {
		if key.cause != l.slow {
			continue
		}
		if now.Sub(l.told[key]) < toldAgain {
			l.counts[key] = n
			delete(counts, key)
			continue
		}
		l.told[key] = now
	}
	return counts
}

// maxTold bounds what one event may tell of: a buffer holds far less.
const maxTold = 1 << 30

// droppedCount returns how many records are lost with r: what a dropped event
// tells of, 1 for any other record.
func droppedCount(r *record.Record) int {
	if r.Kind == record.KindEvent {
		if n := toldDropped(r.Extra); n > 0 {
			return n
		}
	}
	return 1
}

// toldDropped returns the count of a client's event {"event":"dropped","count":n};
// 0 where extra is anything else.
func toldDropped(extra []byte) int {
	var told struct {
		Event string
		Count int
	}
	if json.Unmarshal(extra, &told) != nil || told.Event != "dropped" || told.Count < 1 || told.Count > maxTold {
		return 0
	}
	return told.Count
}

// limits holds a token bucket for each app.
type limits struct {
	rate  rate.Limit
	burst int

	mu   sync.Mutex
	apps map[appKey]*rate.Limiter
}

type appKey struct{ tenant, app string }

// of returns the bucket of an app, which all its replicas share.
func (l *limits) of(tenant, app string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := appKey{tenant, app}
	if l.apps[key] == nil {
		l.apps[key] = rate.NewLimiter(l.rate, l.burst)
	}
	return l.apps[key]
}

// keep drops the buckets of apps that are gone.
func (l *limits) keep(exists map[appKey]bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key := range l.apps {
		if !exists[key] {
			delete(l.apps, key)
		}
	}
}
