package policy

import (
	"strings"
	"testing"
	"time"

	"kurama/logship/record"
	"kurama/paas"
)

// asked is an app that keeps up: so many requests a second, each of so many ms.
func asked(rate, ms float64) func(int, int) Second {
	return func(_, replicas int) Second {
		return Second{Arrived: record.Num(rate), Done: int(rate), Work: rate * ms, Concurrency: record.Num(rate * ms / 1000), Ready: record.Num(float64(replicas))}
	}
}

// waiting is an app at which requests pile up beyond what it answers.
func waiting(rate, done, ms, inFlight float64, ready int) func(int, int) Second {
	return func(int, int) Second {
		return Second{Arrived: record.Num(rate), Done: int(done), Work: done * ms, Concurrency: record.Num(inFlight), Ready: record.Num(float64(ready))}
	}
}

func TestSwift(t *testing.T) {
	swift := func(replicas int, edit func(*paas.Policy)) *story { return newStory(paas.PolicySwift, replicas, edit) }
	t.Run("a strong rise counts after a second", func(t *testing.T) {
		s := swift(1, nil)
		want(t, s.play(60, asked(20, 50)), "")
		d := s.last(waiting(200, 80, 50, 60, 1))
		// 200 - 2·√200 = 171.7 requests/s, and 2 s of a climb of (38-20)/15 a second:
		// 174.1 keep 8.7 slots busy. 26.5 wait on average over 2 s, and within a start
		// of 2 s (174.1-80)·2 more: 214.7·0.05 s within 0.5 s are another 21.5 slots.
		if d.To != 8 || !strings.Contains(d.Reason, "26.5 requests wait for 1 × 4 slots, which 174 requests/s of 50 ms keep busy.") {
			t.Errorf("%d: %s", d.To, d.Reason)
		}
	})
	t.Run("a weak rise counts once it is beyond doubt", func(t *testing.T) {
		// From 41 requests/s of 50 ms on, 1 % would wait too long at one replica. One
		// second of 55 may be chance (55-2·√55 = 40.2), two are not.
		s := swift(1, nil)
		s.play(60, asked(40, 50))
		got := s.play(20, asked(55, 50))
		want(t, got, "1: 2")
	})
	t.Run("what is ordered counts, and how long it takes is learned", func(t *testing.T) {
		s := swift(1, nil)
		s.play(60, asked(20, 50))
		s.play(2, waiting(200, 80, 50, 60, 1))
		wanted := s.state.Desired
		want(t, s.play(3, waiting(200, 80, 50, 60, 1)), "")
		s.play(1, waiting(200, 200, 50, 10, wanted))
		if got := s.state.Swift.Start; got != 4 && got != 5 {
			t.Errorf("learned %g s", got)
		}
		if why := s.last(waiting(900, 200, 50, 200, wanted)).Reason; !strings.Contains(why, "; a replica takes ") {
			t.Errorf("got %q", why)
		}
	})
	t.Run("down goes to what the highest demand of the window needs", func(t *testing.T) {
		s := swift(6, nil)
		s.play(60, asked(200, 50))
		got := s.play(60, asked(20, 50))
		// At second 25 the oldest 5 s of the window have one second of now: their mean
		// is 164, of 8.2 slots. 10 s later none has more than 20.
		want(t, got, "25: 3, 35: 1")
	})
	t.Run("no figures are no reason to go down, and no figures of a replica none to go up", func(t *testing.T) {
		want(t, swift(6, nil).play(300, nothing), "")
		s := swift(6, nil)
		want(t, s.play(300, func(int, int) Second { return Second{Ready: record.Num(6)} }), "")
		s = swift(1, nil)
		want(t, s.play(300, func(int, int) Second { return Second{Arrived: record.Num(500), Concurrency: record.Num(300)} }), "")
	})
	t.Run("seconds that are lost are bridged", func(t *testing.T) {
		s := swift(3, nil)
		got := s.play(300, func(i, n int) Second {
			if i%7 == 0 {
				return nothing(i, n)
			}
			return asked(160, 50)(i, n)
		})
		want(t, got, "")
	})
	t.Run("requests that cost CPU need replicas though slots are free", func(t *testing.T) {
		// 60 requests/s of 25 ms of CPU are 1.5 replicas' worth: two at 80 %.
		s := swift(3, nil)
		got := s.play(60, func(_, n int) Second {
			sec := asked(60, 30)(0, n)
			sec.CPU = record.Num(min(100, 150/float64(n)))
			return sec
		})
		want(t, got, "23: 2") // four fifths of the window are known
	})
	t.Run("a step that did not help is taken back and nothing added for a while", func(t *testing.T) {
		s := swift(2, nil)
		s.play(120, asked(90, 50))
		// A database: 90 requests/s now wait 0.5 s in it, whatever the replicas.
		slow := func(_, n int) Second { return waiting(90, 90, 500, 45, n)(0, 0) }
		got := s.play(60, slow)
		if s.state.Desired != 2 || !strings.HasSuffix(got, ": 2") {
			t.Fatalf("got %s", got)
		}
		want(t, s.play(200, slow), "")
		if last := s.told[len(s.told)-1]; !strings.Contains(last, "the last did not help; none is added for another") {
			t.Errorf("told %q", last)
		}
	})
	t.Run("a rush counts whole, wherever it lies in the window of the way down", func(t *testing.T) {
		s := swift(5, nil)
		got := s.play(240, func(i, n int) Second {
			if i%23 < 6 { // 6 s of 300/s in each 23 s: 15 slots, four replicas with Erlang's room five
				return asked(300, 50)(i, n)
			}
			return asked(20, 50)(i, n)
		})
		want(t, got, "")
	})
	t.Run("what is usual at this time of day is there before it comes", func(t *testing.T) {
		s := swift(1, nil)
		s.play(60, asked(20, 50))
		s.usual = record.Num(200) // 10 slots busy: four replicas with room
		d := s.last(asked(20, 50))
		if d.To != 4 || !strings.Contains(d.Reason, "at this time of day 200 requests/s came on both days before") {
			t.Errorf("%d: %s", d.To, d.Reason)
		}
		want(t, s.play(120, asked(20, 50)), "0: 4") // it is kept as long as it is usual
		s.usual = record.Number{}
		s.play(60, asked(20, 50))
		if s.state.Desired != 1 {
			t.Errorf("%d are kept", s.state.Desired)
		}
	})
	t.Run("of a step that helped in part that part is kept", func(t *testing.T) {
		s := swift(1, nil)
		s.play(120, asked(60, 50))
		// 200 requests/s come, and a database answers 120 of 50 ms at most: the more
		// slots there are, the longer each waits in it. Six slots are as many as it needs.
		slow := func(_, n int) Second {
			ms := max(50, float64(4*n)/120*1000)
			return waiting(200, min(120, 80*float64(n)), ms, 300, n)(0, 0)
		}
		s.play(4, slow)
		most := s.state.Desired
		s.play(60, slow)
		if s.state.Desired > 3 || s.state.Desired < 2 || most < 8 {
			t.Fatalf("%d, then %d: %q", most, s.state.Desired, s.told)
		}
		if last := s.told[len(s.told)-1]; !strings.Contains(last, "the last did not help; none is added for another") {
			t.Errorf("told %q", last)
		}
	})
	t.Run("much more traffic ends a hold", func(t *testing.T) {
		s := swift(2, nil)
		s.play(120, asked(60, 50))
		s.state.Swift.Hold, s.state.Swift.Held = s.now.Add(time.Hour), 60
		if d := s.last(waiting(300, 160, 50, 100, 2)); !d.Valid || d.To <= 2 {
			t.Errorf("%+v", d)
		}
	})
	t.Run("a full host is told, asked no more, and does not keep replicas that are not needed", func(t *testing.T) {
		s := swift(2, nil)
		s.play(60, asked(100, 50))
		s.play(1, waiting(300, 150, 50, 60, 2))
		wanted := s.state.Desired
		want(t, s.play(40, waiting(300, 150, 50, 120, 2)), "")
		s.play(5, waiting(900, 150, 50, 400, 2))
		if s.state.Desired != wanted || !strings.Contains(s.told[len(s.told)-1], "only 2 have come up within") {
			t.Fatalf("%d, told %q", s.state.Desired, s.told)
		}
		s.play(120, func(int, int) Second { return asked(20, 50)(0, 2) })
		if s.state.Desired != 1 {
			t.Errorf("kept %d", s.state.Desired)
		}
	})
	t.Run("while requests wait and answers are late none is taken away", func(t *testing.T) {
		s := swift(4, nil)
		s.times = Reading{P95: 900, Count: 100}
		want(t, s.play(120, func(_, n int) Second { return waiting(20, 20, 50, 9, n)(0, 0) }), "")
		if !strings.HasPrefix(s.told[len(s.told)-1], "1 replica would do, but p95 of response time is 900 ms (limit 200 ms)") {
			t.Errorf("told %q", s.told)
		}
	})
	t.Run("a step down that was regretted makes the next one wait longer", func(t *testing.T) {
		s := swift(1, nil)
		down := func() (at int) {
			s.play(10, func(_, n int) Second { return waiting(300, 300, 50, 100, n)(0, 0) })
			for at = 0; s.state.Desired > 1 && at < 1000; at++ {
				s.play(1, asked(20, 50))
			}
			return at
		}
		s.play(60, asked(20, 50))
		first, second := down(), down()
		if second < first+20 {
			t.Errorf("down after %d s, then after %d s", first, second)
		}
	})
	t.Run("a deploy under way, a clock that goes back and a schedule go before it", func(t *testing.T) {
		s := swift(2, func(p *paas.Policy) { p.Schedule = "Fri 12:02-13:00 5" })
		s.play(60, asked(100, 50))
		s.state.Deploying = true
		want(t, s.play(10, waiting(300, 150, 50, 60, 2)), "")
		s.state.Deploying, s.state.Last = false, s.now.Add(time.Hour)
		if d := s.last(waiting(300, 150, 50, 60, 2)); d.Valid {
			t.Errorf("%+v", d)
		}
		s = swift(2, func(p *paas.Policy) { p.Schedule = "Fri 12:02-13:00 5" })
		want(t, s.play(130, asked(100, 50)), "120: 5")
		if s.state.Desired != 5 {
			t.Errorf("%d", s.state.Desired)
		}
	})
}
