package turns

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

// waiter is one that waits in a test: it notes its places and its turn, works until
// it is let go, and leaves.
type waiter struct {
	places []int
	works  bool
	err    error
	done   chan struct{}
	cancel context.CancelCauseFunc
}

func enter(q *Queue, tenant string) *waiter {
	ctx, cancel := context.WithCancelCause(context.Background())
	w := &waiter{done: make(chan struct{}), cancel: cancel}
	go func() {
		leave, err := q.Enter(ctx, tenant, func(place int) { w.places = append(w.places, place) })
		if w.err = err; err != nil {
			return
		}
		w.works = true
		<-w.done
		leave()
	}()
	synctest.Wait()
	return w
}

func (w *waiter) leave() {
	close(w.done)
	synctest.Wait()
}

func TestQueue(t *testing.T) {
	works := func(t *testing.T, want bool, waiters ...*waiter) {
		t.Helper()
		for i, w := range waiters {
			if w.works != want {
				t.Errorf("number %d works: %v", i, w.works)
			}
		}
	}
	t.Run("takes the tenants in turn", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q := New(Bounds{1, 1, 10, 10})
			first := enter(q, "a")
			works(t, true, first)
			a2, a3, b1 := enter(q, "a"), enter(q, "a"), enter(q, "b")
			works(t, false, a2, a3, b1)
			if !slices.Equal(a2.places, []int{1, 2}) || !slices.Equal(a3.places, []int{2, 3}) || !slices.Equal(b1.places, []int{1}) {
				t.Errorf("places %v %v %v", a2.places, a3.places, b1.places)
			}
			first.leave()
			works(t, true, b1)
			works(t, false, a2, a3)
			for _, w := range []*waiter{b1, a2, a3} {
				works(t, true, w)
				w.leave()
			}
		})
	})
	t.Run("lets a tenant have no more than its share at a time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q := New(Bounds{2, 1, 10, 10})
			a1, a2, b1 := enter(q, "a"), enter(q, "a"), enter(q, "b")
			works(t, true, a1, b1)
			works(t, false, a2)
			b1.leave()
			works(t, false, a2)
			a1.leave()
			works(t, true, a2)
			a2.leave()
		})
	})
	t.Run("forgets who gives up", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q, cause := New(Bounds{1, 1, 10, 10}), errors.New("cancelled")
			a, b, c := enter(q, "a"), enter(q, "b"), enter(q, "c")
			b.cancel(cause)
			synctest.Wait()
			if !errors.Is(b.err, cause) || c.places[len(c.places)-1] != 1 {
				t.Errorf("got %v, places %v", b.err, c.places)
			}
			a.leave()
			works(t, true, c)
			c.leave()
			if len(q.waiting) > 0 || len(q.working) > 0 {
				t.Errorf("left: %v %v", q.waiting, q.working)
			}
		})
	})
	t.Run("refuses more than may wait", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			q := New(Bounds{1, 1, 2, 1})
			a1, a2, a3, b, c := enter(q, "a"), enter(q, "a"), enter(q, "a"), enter(q, "b"), enter(q, "c")
			for w, want := range map[*waiter]Full{a3: {1, "a"}, c: {2, ""}} {
				if full, ok := errors.AsType[*Full](w.err); !ok || *full != want {
					t.Errorf("got %v", w.err)
				}
			}
			for _, w := range []*waiter{a1, b, a2} {
				w.leave()
			}
		})
	})
}
