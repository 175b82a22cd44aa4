package policy

import (
	"strings"
	"testing"

	"kurama/logship/record"
	"kurama/paas"
)

// A replica has 4 slots and is to have 70 % of them: 2.8. Ticks are at even
// seconds. The sequences are computed by hand from Knative's rules.
func TestTarget(t *testing.T) {
	t.Run("a need that is not twice what is ready waits for the stable window", func(t *testing.T) {
		// With 2 ready, 8 in flight ask for 3: no rush. The mean over 60 s passes 5.6
		// once (60-k)·5 + k·8 > 336, k > 12: at the thirteenth second of 8.
		s := newStory(paas.PolicyTarget, 1, nil)
		s.state.Desired = 2
		s.state.Target.Looked = noon.Add(-targetTick) // it has run before: no panic at the start
		want(t, s.play(60, inFlight(5)), "")
		want(t, s.play(60, inFlight(8)), "12: 3")
	})
	t.Run("a need of twice what is ready is a rush", func(t *testing.T) {
		// 1 replica with 1 in flight, then 28. Panic need of the last 6 s at tick
		// 0 of the rush (one second of 28): (5·1+28)/6 = 5.5 → 2 of 1 ready: panic.
		// At tick 2: (3·1+3·28)/6 = 14.5 → 6; at 4: (1+5·28)/6 = 23.5 → 9; at 6: 28 → 10.
		s := newStory(paas.PolicyTarget, 1, nil)
		want(t, s.play(60, inFlight(1)), "")
		want(t, s.play(20, inFlight(28)), "0: 2, 2: 6, 4: 9, 6: 10")
	})
	t.Run("it does not go down until a stable window after the rush", func(t *testing.T) {
		// The rush lasts from 0 to 9. The panic need is last twice what is ready at
		// tick 4 (9 of 6 is not; 6 of 2 at tick 2 is, 9/6 = 1.5 at 4): panic time is
		// 2. It ends after 62 s: at tick 64, when the stable mean is that of the
		// seconds 5…64: 5 of 28 and 55 of 1 → 3.25 → 2, but half of 10 is 5. At 66 it
		// is half of that, 2; at 68 the mean is (28+59)/60 = 1.45 → 1.
		s := newStory(paas.PolicyTarget, 1, nil)
		s.play(60, inFlight(1))
		got := s.play(100, func(i, n int) Second {
			if i < 10 {
				return inFlight(28)(i, n)
			}
			return inFlight(1)(i, n)
		})
		want(t, got, "0: 2, 2: 6, 4: 9, 6: 10, 64: 5, 66: 2, 68: 1")
	})
	t.Run("started with more than one replica it starts in panic", func(t *testing.T) {
		want(t, newStory(paas.PolicyTarget, 6, nil).play(80, inFlight(2)), "62: 3, 64: 1")
	})
	t.Run("a step is bounded by the rates", func(t *testing.T) {
		s := newStory(paas.PolicyTarget, 2, func(p *paas.Policy) { p.Target.UpRate = 1.5 })
		want(t, s.play(6, inFlight(100)), "0: 3, 2: 5, 4: 8")
	})
	t.Run("down_delay holds the largest need", func(t *testing.T) {
		s := newStory(paas.PolicyTarget, 1, func(p *paas.Policy) { p.Target.DownDelay = 30 })
		s.state.Target.Looked = noon.Add(-targetTick)
		s.play(100, inFlight(8)) // 3
		// After k seconds the mean is (480-7.5·k)/60. It asks for 2 from k = 20 on, at
		// tick 20; the last 3, of tick 18, counts up to 48. For 1 from k = 42 on, at
		// tick 42 (k = 43); the last 2, of tick 40, counts up to 70.
		want(t, s.play(200, inFlight(0.5)), "50: 2, 72: 1")
	})
	t.Run("no figures are no need of 0", func(t *testing.T) {
		s := newStory(paas.PolicyTarget, 5, nil)
		want(t, s.play(200, nothing), "")
		want(t, s.play(200, func(_, n int) Second { return Second{Ready: record.Num(float64(n))} }), "")
	})
	t.Run("it says why", func(t *testing.T) {
		s := newStory(paas.PolicyTarget, 1, nil)
		s.play(60, inFlight(1))
		d := s.last(inFlight(28))
		if !strings.HasPrefix(d.Reason, "1 → 2 replicas: 5.5 requests are in flight on average over 6 s, and a replica is to have 2.8") || d.Inputs["panic_concurrency"] != 5.5 {
			t.Errorf("%+v", d)
		}
	})
}
