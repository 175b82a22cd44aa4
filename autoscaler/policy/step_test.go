package policy

import (
	"testing"

	"kurama/paas"
)

// The sequences follow from the rules by hand: noon is a whole minute, so that
// the third minute above 60 % is over at second 180, and the fifteenth below
// 42 % at second 900.
func TestStep(t *testing.T) {
	t.Run("three minutes above add one, then one a minute", func(t *testing.T) {
		want(t, newStory(paas.PolicyStep, 1, nil).play(400, cpu(61)), "180: 2, 240: 3, 300: 4, 360: 5")
	})
	t.Run("it stops at the largest number", func(t *testing.T) {
		s := newStory(paas.PolicyStep, 1, func(p *paas.Policy) { p.Max = 2 })
		want(t, s.play(400, cpu(99)), "180: 2")
		want(t, s.told[0], "average CPU was above 60 % for 3 minutes (the last is 99 %), but the policy's largest number of replicas, 2, is reached.")
	})
	t.Run("a limit that is met is not exceeded", func(t *testing.T) {
		want(t, newStory(paas.PolicyStep, 3, nil).play(1200, cpu(60)), "")
		want(t, newStory(paas.PolicyStep, 3, nil).play(1200, cpu(42)), "")
	})
	t.Run("one minute below breaks the row", func(t *testing.T) {
		got := newStory(paas.PolicyStep, 1, nil).play(360, func(s, n int) Second {
			if s >= 120 && s < 180 {
				return cpu(50)(s, n)
			}
			return cpu(90)(s, n)
		})
		want(t, got, "")
	})
	t.Run("fifteen minutes below take one away, then one a minute", func(t *testing.T) {
		want(t, newStory(paas.PolicyStep, 4, nil).play(1100, cpu(10)), "900: 3, 960: 2, 1020: 1")
	})
	t.Run("work of 2.2 replicas ends at four", func(t *testing.T) { // 2.2/3 is 73 %, 2.2/4 is 55 %: between the limits
		want(t, newStory(paas.PolicyStep, 1, nil).play(2000, shared(2.2)), "180: 2, 240: 3, 300: 4")
	})
	t.Run("a minute of which half is missing is missing", func(t *testing.T) {
		got := newStory(paas.PolicyStep, 1, nil).play(600, func(s, n int) Second {
			if s%180 >= 120 && s%180 < 151 {
				return nothing(s, n)
			}
			return cpu(90)(s, n)
		})
		want(t, got, "")
	})
	t.Run("no figures are no reason to go down", func(t *testing.T) {
		want(t, newStory(paas.PolicyStep, 4, nil).play(2000, nothing), "")
	})
	t.Run("it says why", func(t *testing.T) {
		s := newStory(paas.PolicyStep, 1, nil)
		s.play(180, cpu(75.5))
		want(t, s.last(cpu(75.5)).Reason, "1 → 2 replicas: average CPU was above 60 % for 3 minutes (the last is 75.5 %).")
	})
}
