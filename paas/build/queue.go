package build

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

// queue lets builds work a few at a time, tenant by tenant in turn, so that
// those of one tenant hold up those of another as little as can be.
type queue struct {
	atOnce, tenantAtOnce int // builds that work at a time
	most, tenantMost     int // builds that wait

	mu      sync.Mutex // guards all below and the places
	working map[string]int
	waiting []*place       // in the order of their arrival
	turns   int            // that were given away so far
	last    map[string]int // of the tenants that are here, the number of their last turn
}

// place is one build that waits.
type place struct {
	tenant string
	at     int           // from 1
	moved  chan struct{} // holds one token once it has moved
	turn   bool
}

func newQueue(atOnce, tenantAtOnce, most, tenantMost int) *queue {
	return &queue{atOnce: atOnce, tenantAtOnce: tenantAtOnce, most: most, tenantMost: tenantMost, working: map[string]int{}, last: map[string]int{}}
}

// enter waits until a build of tenant may work; at gets its place, from 1,
// whenever that is another. It returns *paas.Invalid where too many wait. The
// caller calls leave when its build is over.
func (q *queue) enter(ctx context.Context, tenant string, at func(place int)) (leave func(), err error) {
	p, err := q.join(tenant)
	if err != nil {
		return nil, err
	}
	for told := 0; ; {
		place, turn := q.look(p)
		if turn {
			return func() { q.leave(tenant) }, nil
		}
		if place != told {
			at(place)
			told = place
		}
		select {
		case <-p.moved:
		case <-ctx.Done():
			q.giveUp(p)
			return nil, context.Cause(ctx)
		}
	}
}

func (q *queue) join(tenant string) (*place, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	own := 0
	for _, p := range q.waiting {
		if p.tenant == tenant {
			own++
		}
	}
	switch {
	case own >= q.tenantMost:
		return nil, invalid("%d builds of tenant %s wait already, and no more are taken. Deploy again when they are through (build.tenant_queue).", own, tenant)
	case len(q.waiting) >= q.most:
		return nil, invalid("%d builds wait already, and no more are taken. Deploy again in some minutes (build.queue).", len(q.waiting))
	}
	p := &place{tenant: tenant, moved: make(chan struct{}, 1)}
	q.waiting = append(q.waiting, p)
	q.advance()
	return p, nil
}

func (q *queue) look(p *place) (at int, turn bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return p.at, p.turn
}

func (q *queue) leave(tenant string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free(tenant)
	q.advance()
	if q.working[tenant] == 0 && !slices.ContainsFunc(q.waiting, func(p *place) bool { return p.tenant == tenant }) {
		delete(q.last, tenant)
	}
}

// giveUp takes a build out that waits no longer; its turn may have come at the
// same moment.
func (q *queue) giveUp(p *place) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if p.turn {
		q.free(p.tenant)
	}
	q.waiting = slices.DeleteFunc(q.waiting, func(o *place) bool { return o == p })
	q.advance()
}

// free gives a turn back. Callers hold mu.
func (q *queue) free(tenant string) {
	if q.working[tenant]--; q.working[tenant] == 0 {
		delete(q.working, tenant)
	}
}

// advance gives free turns away and tells the others their places. Callers
// hold mu.
func (q *queue) advance() {
	for p := q.next(); p != nil; p = q.next() {
		p.turn = true
		q.working[p.tenant]++
		q.turns++
		q.last[p.tenant] = q.turns
		q.waiting = slices.DeleteFunc(q.waiting, func(o *place) bool { return o == p })
		p.tell()
	}
	for i, p := range q.order() {
		if p.at != i+1 {
			p.at = i + 1
			p.tell()
		}
	}
}

// next returns the build whose turn it is; nil where none may begin. Callers
// hold mu.
func (q *queue) next() *place {
	working := 0
	for _, n := range q.working {
		working += n
	}
	if working >= q.atOnce {
		return nil
	}
	for _, p := range q.order() {
		if q.working[p.tenant] < q.tenantAtOnce {
			return p
		}
	}
	return nil
}

// order returns those that wait as their turns will come: the first of each
// tenant before the second of any, those of a tenant at work later, and before
// all whose tenant's turn is longest ago.
func (q *queue) order() []*place {
	rank, seen := map[*place]int{}, map[string]int{}
	for _, p := range q.waiting {
		rank[p] = q.working[p.tenant] + seen[p.tenant]
		seen[p.tenant]++
	}
	list := slices.Clone(q.waiting)
	slices.SortStableFunc(list, func(a, b *place) int {
		return cmp.Or(cmp.Compare(rank[a], rank[b]), cmp.Compare(q.last[a.tenant], q.last[b.tenant]))
	})
	return list
}

func (p *place) tell() {
	select {
	case p.moved <- struct{}{}:
	default:
	}
}
