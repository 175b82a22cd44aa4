package dashboard

import (
	"testing"
	"time"
)

func TestAClockThatIsSteppedStopsNoLiveView(t *testing.T) {
	for name, by := range map[string]time.Duration{"an hour ahead": time.Hour, "an hour back": -time.Hour, "half an hour back": -30 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			h := still()
			now := moment
			h.clock = func() time.Time { return now }
			watching := &client{cursor: 7}
			h.topics[key{"acme", "hello"}] = newTopic()
			h.topics[key{"acme", "hello"}].clients[watching] = struct{}{}
			tell := func(requests int) {
				for range requests {
					h.feed(now, request(now, 200, 5))
				}
				h.feed(now, sample(now, "hello-3-abcdef", 12.5), queue(now, 2, 0))
			}
			tell(3)
			now = now.Add(by)
			tell(2)
			one, second := h.open(key{"acme", "hello"}), now.Unix()
			if n := one.points.requests(second); n != 2 {
				t.Errorf("the live view shows %d requests in the second after the step, want 2", n)
			}
			if w := one.lastMinute(second); w.requests != 2 {
				t.Errorf("the last minute holds %d requests, want 2", w.requests)
			}
			if got := one.figures["hello-3-abcdef"].last(); got != second {
				t.Errorf("the replica's last figures are of %d, want %d", got, second)
			}
			if n := one.ready(second); n != 1 {
				t.Errorf("%v replicas are ready, want 1", n)
			}
			if one.points.newest != second {
				t.Errorf("the newest second is %d, want %d", one.points.newest, second)
			}
			if back := by < 0; back != (watching.cursor == 0) {
				t.Errorf("the page's last frame is %d, want a whole one only where seconds were taken back", watching.cursor)
			}
		})
	}
}
