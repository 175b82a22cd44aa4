package policy

import (
	"testing"

	"kurama/logship/record"
	"kurama/paas"
)

// The aim is 60 % of CPU, looks are at the seconds 0, 15, 30 … The sequences are
// computed by hand from the algorithm that Kubernetes documents.
func TestHPA(t *testing.T) {
	t.Run("the need is what is ready times figure over aim", func(t *testing.T) {
		want(t, newStory(paas.PolicyHPA, 3, nil).play(1, cpu(90)), "0: 5") // ceil(3·1.5 = 4.5)
	})
	t.Run("a tenth off the aim changes nothing", func(t *testing.T) {
		want(t, newStory(paas.PolicyHPA, 3, nil).play(900, cpu(66)), "")
		want(t, newStory(paas.PolicyHPA, 3, nil).play(900, cpu(54)), "")
		want(t, newStory(paas.PolicyHPA, 3, nil).play(1, cpu(66.5)), "0: 4")
	})
	t.Run("in 15 s it doubles, or adds four", func(t *testing.T) {
		// Utilization of concurrency knows no 100 %: 1 replica whose 4 slots have 200
		// in flight; aim 50 %, so the need is ceil(1·5000/50) = 100.
		s := newStory(paas.PolicyHPA, 1, func(p *paas.Policy) { p.HPA.CPU, p.HPA.Utilization, p.Max = 0, 50, 60 })
		want(t, s.play(61, inFlight(200)), "0: 5, 15: 10, 30: 20, 45: 40, 60: 60")
	})
	t.Run("down it goes to the largest need of five minutes", func(t *testing.T) {
		// Work of 3 replicas: the need is 5·60/60 = 5 at each look. Then of 0.6: at
		// second 0 the mean over 15 s is (14·60+12)/15 = 56.8 %, within tolerance, so
		// the need is 5 for the last time. It is in the window up to second 300.
		s := newStory(paas.PolicyHPA, 5, nil)
		want(t, s.play(300, shared(3)), "")
		want(t, s.play(600, shared(0.6)), "315: 1")
	})
	t.Run("the first look counts the number there is as a need", func(t *testing.T) {
		want(t, newStory(paas.PolicyHPA, 8, nil).play(400, shared(0.6)), "315: 1")
	})
	t.Run("down_percent bounds a step down", func(t *testing.T) {
		s := newStory(paas.PolicyHPA, 8, func(p *paas.Policy) { p.HPA.DownPercent, p.HPA.DownWindow = 50, 0 })
		want(t, s.play(60, shared(0.1)), "15: 4, 30: 2, 45: 1")
	})
	t.Run("replicas that are not ready count as idle on the way up", func(t *testing.T) {
		// 2 of 4 ready at 90 %: ratio 1.5 of ready; over all four 0.75: no change.
		s := newStory(paas.PolicyHPA, 4, nil)
		half := func(v float64) func(int, int) Second {
			return func(int, int) Second { return Second{CPU: record.Num(v), Ready: record.Num(2)} }
		}
		want(t, s.play(60, half(90)), "")
	})
	t.Run("of two figures the larger need counts", func(t *testing.T) {
		s := newStory(paas.PolicyHPA, 2, func(p *paas.Policy) { p.HPA.Utilization = 50 })
		got := s.play(1, func(_, n int) Second {
			return Second{CPU: record.Num(30), Concurrency: record.Num(12), Ready: record.Num(float64(n))} // 150 % of 8 slots
		})
		want(t, got, "0: 6")
	})
	t.Run("a figure that is missing is no reason to go down", func(t *testing.T) {
		s := newStory(paas.PolicyHPA, 4, func(p *paas.Policy) { p.HPA.Utilization = 50 })
		want(t, s.play(900, cpu(5)), "")
		want(t, newStory(paas.PolicyHPA, 4, nil).play(900, nothing), "")
	})
	t.Run("it says why", func(t *testing.T) {
		want(t, newStory(paas.PolicyHPA, 3, nil).last(cpu(90)).Reason, "3 → 5 replicas: cpu is 90 % on average over 15 s (aim 60 %).")
	})
}
