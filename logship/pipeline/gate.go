// Package pipeline is ground: what each service takes of an app's records, as
// the app's tenant has set it up. A Gate stands before a service and is asked
// about each record; its YAML form is the one in kurama.yaml.
package pipeline

import (
	"hash/fnv"
	"math"
	"strings"
	"sync/atomic"

	"kurama/logship/record"
	"kurama/paas"
)

// Compile makes a test of a condition on one record. Errors are *paas.Invalid.
type Compile func(when string) (func(*record.Record) bool, error)

// Gate decides which records of which app one service takes. A nil Gate, and
// one before which no app has set anything up, lets everything pass at the
// price of one load. It is safe for concurrent use.
type Gate struct {
	service paas.Service
	compile Compile
	apps    atomic.Pointer[map[appKey]*lane] // nil: nothing to decide, nobody to count for
	left    atomic.Uint64
}

type appKey struct{ tenant, app string }

// New returns a gate before service that lets everything pass until it is told
// otherwise.
func New(service paas.Service, compile Compile) *Gate {
	return &Gate{service: service, compile: compile}
}

// Takes reports whether the service takes r, and counts it.
func (g *Gate) Takes(r *record.Record) bool {
	if g == nil {
		return true
	}
	apps := g.apps.Load()
	if apps == nil {
		return true
	}
	l := (*apps)[appKey{r.Tenant, r.App}]
	if l == nil {
		return true
	}
	if l.takes(r) {
		l.taken.Add(1)
		return true
	}
	l.left.Add(1)
	g.left.Add(1)
	return false
}

// Decides reports whether Takes has something to decide or to count about an
// app's records.
func (g *Gate) Decides(tenant, app string) bool { return g.lane(tenant, app) != nil }

// Off reports whether the service takes nothing of an app.
func (g *Gate) Off(tenant, app string) bool {
	l := g.lane(tenant, app)
	return l != nil && l.off
}

// RetentionDays returns how long the service keeps an app's records, 0 where
// that is not the app's choice.
func (g *Gate) RetentionDays(tenant, app string) int {
	if l := g.lane(tenant, app); l != nil {
		return l.retention
	}
	return 0
}

// Retained calls fn for each app that has a retention of its own, until fn fails.
func (g *Gate) Retained(fn func(tenant, app string, days int) error) error {
	if g == nil || g.apps.Load() == nil {
		return nil
	}
	for key, l := range *g.apps.Load() {
		if l.retention == 0 {
			continue
		}
		if err := fn(key.tenant, key.app, l.retention); err != nil {
			return err
		}
	}
	return nil
}

func (g *Gate) lane(tenant, app string) *lane {
	if g == nil {
		return nil
	}
	apps := g.apps.Load()
	if apps == nil {
		return nil
	}
	return (*apps)[appKey{tenant, app}]
}

// lane is an app's way to the service.
type lane struct {
	config    string // as it is stored: the same text is the same lane
	off       bool
	retention int // days
	branches  []branch
	taken     atomic.Uint64
	left      atomic.Uint64
}

// branch lets pass what meets all that it says.
type branch struct {
	level  record.Level
	route  string
	prefix bool // routes that begin with route
	when   func(*record.Record) bool
	sample uint64 // of 2^32; 0: all
}

// newLane compiles what is stored; *paas.Invalid for what cannot be.
func newLane(config string, stage *paas.Stage, compile Compile) (*lane, error) {
	l := &lane{config: config, off: stage.Off, retention: stage.RetentionDays}
	for _, b := range stage.Take {
		var made branch
		if b.Level != "" {
			level, err := record.ParseLevel(b.Level)
			if err != nil {
				return nil, &paas.Invalid{Reason: err.Error()}
			}
			made.level = level
		}
		made.route, made.prefix = strings.CutSuffix(b.Route, "*")
		if b.When != "" {
			test, err := compile(b.When)
			if err != nil {
				return nil, err
			}
			made.when = test
		}
		if b.Sample > 0 {
			made.sample = max(1, uint64(b.Sample*(1<<32)))
		}
		l.branches = append(l.branches, made)
	}
	return l, nil
}

// takes decides about a record. Filters are about what the app does and says:
// samples and events, which charts and alerts stand on, come with the service.
func (l *lane) takes(r *record.Record) bool {
	switch {
	case l.off:
		return false
	case len(l.branches) == 0, r.Kind != record.KindRequest && r.Kind != record.KindLog:
		return true
	}
	for i := range l.branches {
		if l.branches[i].passes(r) {
			return true
		}
	}
	return false
}

func (b *branch) passes(r *record.Record) bool {
	switch {
	case r.Level < b.level:
		return false
	case b.prefix && !strings.HasPrefix(r.Route, b.route):
		return false
	case !b.prefix && b.route != "" && r.Route != b.route:
		return false
	case b.when != nil && !b.when(r):
		return false
	}
	return b.sample == 0 || uint64(lot(r)) < b.sample
}

// lot returns a number that is evenly spread over records and the same for all
// of one request, so that a sample keeps a request together with its lines, in
// each service and each time that it is read.
func lot(r *record.Record) uint32 {
	h := fnv.New64a()
	if r.Req != "" {
		_, _ = h.Write([]byte(r.Req))
	} else {
		_, _ = h.Write(r.ID[:])
	}
	sum := h.Sum64() // FNV's high bits mix badly on short texts
	sum ^= sum >> 33
	sum *= 0xff51afd7ed558ccd // the finaliser of MurmurHash3
	sum ^= sum >> 33
	return uint32(sum & math.MaxUint32)
}
