package persist

import (
	"cmp"
	"slices"
	"strings"
)

// appKey names an app.
type appKey struct{ tenant, app string }

// apps notes of which app each tuple of a run is. Rows that lie app by app
// cost the index a tenth less, and a page of one app's records lies in few
// pages of the table.
type apps struct {
	number map[appKey]int // of an app
	names  []appKey       // by number
	counts []int          // tuples by number
	of     []int          // number of each tuple's app
}

func (a *apps) reset() {
	if a.number == nil {
		a.number = map[appKey]int{}
	}
	clear(a.number)
	clear(a.names)
	a.names, a.counts, a.of = a.names[:0], a.counts[:0], a.of[:0]
}

// add notes the app of the next tuple.
func (a *apps) add(tenant, app string) {
	key := appKey{tenant, app}
	if n := len(a.of); n > 0 && a.names[a.of[n-1]] == key { // as often
		a.of = append(a.of, a.of[n-1])
		a.counts[a.of[n-1]]++
		return
	}
	i, known := a.number[key]
	if !known {
		i, key = len(a.names), appKey{strings.Clone(tenant), strings.Clone(app)} // the batch's memory is used again
		a.number[key], a.names, a.counts = i, append(a.names, key), append(a.counts, 0)
	}
	a.of = append(a.of, i)
	a.counts[i]++
}

// group returns the numbers of the tuples by app, in the order of the index;
// those of one app keep their order. It uses the memory of order.
func (a *apps) group(order []int) []int {
	sorted := make([]int, len(a.names))
	for i := range sorted {
		sorted[i] = i
	}
	slices.SortFunc(sorted, func(x, y int) int {
		return cmp.Or(cmp.Compare(a.names[x].tenant, a.names[y].tenant), cmp.Compare(a.names[x].app, a.names[y].app))
	})
	next, at := make([]int, len(sorted)), 0 // place of the next tuple of an app
	for _, i := range sorted {
		next[i] = at
		at += a.counts[i]
	}
	order = slices.Grow(order[:0], len(a.of))[:len(a.of)]
	for tuple, i := range a.of {
		order[next[i]] = tuple
		next[i]++
	}
	return order
}
