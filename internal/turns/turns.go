// Package turns lets work that comes from many tenants be done a few at a time,
// tenant by tenant in turn.
package turns

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
)

// Bounds of a queue, for all tenants together and for each one.
type Bounds struct {
	AtOnce, TenantAtOnce int // that work at a time
	Most, TenantMost     int // that wait; more are refused
}

// Full says that a queue takes no more.
type Full struct {
	Waiting int
	Tenant  string // whose part of the queue is full; empty: all of it is
}

// Error tells how many wait.
func (f *Full) Error() string {
	if f.Tenant != "" {
		return fmt.Sprintf("%d of tenant %s wait already, and no more are taken", f.Waiting, f.Tenant)
	}
	return fmt.Sprintf("%d wait already, and no more are taken", f.Waiting)
}

// Queue gives turns, so that the work of one tenant holds up that of another as
// little as can be.
type Queue struct {
	bounds Bounds

	mu      sync.Mutex // guards all below and the places
	working map[string]int
	waiting []*place       // in the order of their arrival
	turns   int            // that were given away so far
	last    map[string]int // of the tenants that are here, the number of their last turn
}

// place is one that waits.
type place struct {
	tenant string
	at     int           // from 1
	moved  chan struct{} // holds one token once it has moved
	turn   bool
}

// New returns an empty queue.
func New(bounds Bounds) *Queue {
	return &Queue{bounds: bounds, working: map[string]int{}, last: map[string]int{}}
}

// Enter waits until the tenant has a turn; at gets the place, from 1, whenever
// that is another. The caller calls leave when the work is done. It returns *Full
// where too many wait, and the cause where ctx ends.
func (q *Queue) Enter(ctx context.Context, tenant string, at func(place int)) (leave func(), err error) {
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

func (q *Queue) join(tenant string) (*place, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	own := 0
	for _, p := range q.waiting {
		if p.tenant == tenant {
			own++
		}
	}
	switch {
	case own >= q.bounds.TenantMost:
		return nil, &Full{Waiting: own, Tenant: tenant}
	case len(q.waiting) >= q.bounds.Most:
		return nil, &Full{Waiting: len(q.waiting)}
	}
	p := &place{tenant: tenant, moved: make(chan struct{}, 1)}
	q.waiting = append(q.waiting, p)
	q.advance()
	return p, nil
}

func (q *Queue) look(p *place) (at int, turn bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return p.at, p.turn
}

func (q *Queue) leave(tenant string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free(tenant)
	q.advance()
	if q.working[tenant] == 0 && !slices.ContainsFunc(q.waiting, func(p *place) bool { return p.tenant == tenant }) {
		delete(q.last, tenant)
	}
}

// giveUp takes one out that waits no longer; its turn may have come at the
// same moment.
func (q *Queue) giveUp(p *place) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if p.turn {
		q.free(p.tenant)
	}
	q.waiting = slices.DeleteFunc(q.waiting, func(o *place) bool { return o == p })
	q.advance()
}

// free gives a turn back. Callers hold mu.
func (q *Queue) free(tenant string) {
	if q.working[tenant]--; q.working[tenant] == 0 {
		delete(q.working, tenant)
	}
}

// advance gives free turns away and tells the others their places. Callers
// hold mu.
func (q *Queue) advance() {
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

// next returns whose turn it is; nil where none may begin. Callers
// hold mu.
func (q *Queue) next() *place {
	working := 0
	for _, n := range q.working {
		working += n
	}
	if working >= q.bounds.AtOnce {
		return nil
	}
	for _, p := range q.order() {
		if q.working[p.tenant] < q.bounds.TenantAtOnce {
			return p
		}
	}
	return nil
}

// order returns those that wait as their turns will come: the first of each
// tenant before the second of any, those of a tenant at work later, and before
// all whose tenant's turn is longest ago.
func (q *Queue) order() []*place {
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
