package auth

import (
	"errors"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kurama/paas"
)

func TestThrottle(t *testing.T) {
	home, away := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("198.51.100.9")
	took := func(t *testing.T, th *throttle, from netip.Addr, name string) time.Duration {
		t.Helper()
		begun := time.Now()
		if _, err := th.begin(t.Context(), from, name); err != nil {
			t.Fatal(err)
		}
		return time.Since(begun)
	}
	inTime := func(name string, f func(*testing.T)) {
		t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
	}
	inTime("an address that fails too often has to wait, whatever the names", func(t *testing.T) {
		th := newThrottle(3)
		for _, name := range []string{"a", "b", "c"} {
			took(t, th, home, name)
		}
		_, err := th.begin(t.Context(), home, "d")
		var throttled *paas.Throttled
		if !errors.As(err, &throttled) || throttled.Seconds() != 20 {
			t.Fatalf("got %v", err)
		}
		took(t, th, away, "d")
		time.Sleep(20 * time.Second) // of the bubble's clock
		took(t, th, home, "d")
	})
	inTime("a name is slowed down and never locked", func(t *testing.T) {
		th := newThrottle(0)
		for i, want := range []time.Duration{0, 0, 0, 0, 0, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 8 * time.Second} {
			if got := took(t, th, home, "Ann"); got != want {
				t.Errorf("try %d took %s, want %s", i+1, got, want)
			}
		}
		if got := took(t, th, away, "ann"); got != longestDelay {
			t.Errorf("the name's owner waits %s", got)
		}
		if got := took(t, th, away, "bob"); got != 0 {
			t.Errorf("another name waits %s", got)
		}
		time.Sleep(15 * time.Minute)
		if got := took(t, th, home, "ann"); got != 0 {
			t.Errorf("after a quarter of an hour the name waits %s", got)
		}
	})
	inTime("guesses sent at once do not pass together", func(t *testing.T) {
		th := newThrottle(0)
		for range freeStrikes + 7 {
			took(t, th, away, "ann")
		}
		begun := time.Now()
		var wg sync.WaitGroup
		for range maxPending {
			wg.Go(func() { _, _ = th.begin(t.Context(), home, "ann") })
		}
		synctest.Wait()
		if _, err := th.begin(t.Context(), home, "ann"); err == nil {
			t.Error("a ninth try of one address was let in while eight wait")
		}
		wg.Wait()
		if time.Since(begun) != longestDelay {
			t.Errorf("eight tries took %s", time.Since(begun))
		}
	})
	inTime("a success gives back its own try and no more", func(t *testing.T) {
		th := newThrottle(2)
		took(t, th, home, "guessed")
		y, err := th.begin(t.Context(), home, "own")
		if err != nil {
			t.Fatal(err)
		}
		y.succeeded()
		took(t, th, home, "guessed")
		if _, err := th.begin(t.Context(), home, "guessed"); err == nil {
			t.Error("a third guess was let in")
		}
	})
}
