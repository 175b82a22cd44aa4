package stream

import (
	"context"
	"testing"
	"time"
)

func TestATailSinceATime(t *testing.T) {
	c, _ := setup(t)
	for n := range 3 {
		publish(t, c, n)
	}
	all, err := c.TailSince(t.Context(), time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	old := read(t, all, 1, 3)

	t.Run("starts with the first batch taken at that time or later", func(t *testing.T) {
		since, err := c.TailSince(t.Context(), old[1].At)
		if err != nil {
			t.Fatal(err)
		}
		defer since.Close()
		read(t, since, 2, 2)
	})
	t.Run("goes on with new batches", func(t *testing.T) {
		tail, err := c.TailSince(t.Context(), time.Now().Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		defer tail.Close()
		publish(t, c, 3)
		read(t, tail, 4, 1)
		read(t, all, 4, 1)
	})
	t.Run("fails while the server is away, so that the caller knows", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.TailSince(ctx, time.Now()); err == nil {
			t.Error("no error")
		}
	})
}

// TestAScanSinceATimeThatLiesAhead asks for what came since a time that only a
// client claims: it gets the last minutes, not the whole stream and not nothing.
// What a clock does that was set back really is for the test of the whole
// platform, which alone can set the server's.
func TestAScanSinceATimeThatLiesAhead(t *testing.T) {
	c, _ := setup(t)
	const n = backStride + 7
	for i := range n {
		publish(t, c, i)
	}
	seen := func(since time.Time) (batches int) {
		err := c.Scan(t.Context(), "host.1", since, func(Batch) error {
			batches++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return batches
	}
	if got := seen(time.Now().Add(time.Hour)); got != n {
		t.Errorf("%d of %d batches were scanned", got, n)
	}
	now := time.Now()
	for _, of := range []struct {
		now time.Time
		set bool
	}{{now.Add(-time.Second), false}, {now.Add(-time.Hour), true}} { // what came since the clock was read, and what it cannot have seen
		seq, err := c.setBackAt(t.Context(), of.now)
		if err != nil || seq > 0 != of.set {
			t.Errorf("as of %s before now the clock was set back at %d, error %v", now.Sub(of.now), seq, err)
		}
	}
	if got := seen(time.Now().Add(time.Second)); got != 0 {
		t.Errorf("%d batches were scanned from a moment that is not there yet, want none", got)
	}
}
