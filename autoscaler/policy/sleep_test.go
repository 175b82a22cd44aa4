package policy

import (
	"strings"
	"testing"

	"kurama/paas"
)

// sleepy is an app that may sleep after a minute.
func sleepy(replicas int, edit func(*paas.Policy)) *story {
	s := newStory(paas.PolicySwift, replicas, func(p *paas.Policy) {
		p.Min, p.Swift.Idle = 0, 60
		if edit != nil {
			edit(p)
		}
	})
	s.state.Asleep = replicas == 0
	return s
}

func TestSleep(t *testing.T) {
	t.Run("the last replica goes when nobody has asked for as long as idle says", func(t *testing.T) {
		s := sleepy(1, nil)
		s.play(60, asked(1, 50))
		want(t, s.play(120, asked(0, 0)), "59: 0")
	})
	t.Run("a request that takes long is no idleness", func(t *testing.T) {
		want(t, sleepy(1, nil).play(200, waiting(0, 0, 0, 1, 1)), "")
	})
	t.Run("figures that are missing are no idleness", func(t *testing.T) {
		want(t, sleepy(1, nil).play(200, func(i, n int) Second {
			if i%2 == 0 {
				return nothing(i, n)
			}
			return asked(0, 0)(i, n)
		}), "")
	})
	t.Run("with a smallest number of 1, or a schedule that asks for one, it stays", func(t *testing.T) {
		want(t, sleepy(1, func(p *paas.Policy) { p.Min = 1 }).play(200, asked(0, 0)), "")
		want(t, sleepy(1, func(p *paas.Policy) { p.Schedule = "Mon-Sun 00:00-00:00 1" }).play(200, asked(0, 0)), "")
	})
	t.Run("a request that waits wakes it, many at once wake several", func(t *testing.T) {
		s := sleepy(0, nil)
		want(t, s.play(60, nothing), "")
		if d := s.last(waiting(1, 0, 0, 1, 0)); d.To != 1 || d.Reason != "0 → 1 replica: 1 request waits and the app sleeps." {
			t.Errorf("%+v", d)
		}
		if d := s.last(waiting(9, 0, 0, 9, 0)); d.To != 3 || !strings.HasPrefix(d.Reason, "0 → 3 replicas: 9 requests wait") {
			t.Errorf("%+v", d)
		}
	})
	t.Run("it is not sent to sleep again before it has been idle for as long", func(t *testing.T) {
		s := sleepy(0, nil)
		s.play(300, nothing)
		s.play(1, waiting(1, 0, 0, 1, 0))
		want(t, s.play(200, asked(0, 0)), "59: 0")
	})
	t.Run("its schedule wakes it, and so does a policy under which nothing sleeps", func(t *testing.T) {
		s := sleepy(0, func(p *paas.Policy) { p.Schedule = "Mon-Sun 12:01-13:00 2" }) // the story begins at noon
		want(t, s.play(90, nothing), "60: 2")
		s = sleepy(0, func(p *paas.Policy) { p.Min = 1 })
		if d := s.last(nothing); d.To != 1 || !strings.Contains(d.Reason, "the policy's smallest number is 1") {
			t.Errorf("%+v", d)
		}
		s = sleepy(0, func(p *paas.Policy) { p.Name = paas.PolicyTarget })
		if d := s.last(nothing); d.To != 1 {
			t.Errorf("%+v", d)
		}
	})
	t.Run("while a release is started it is left alone", func(t *testing.T) {
		s := sleepy(0, nil)
		s.state.Deploying = true
		if d := s.last(waiting(1, 0, 0, 1, 0)); d.Valid {
			t.Errorf("%+v", d)
		}
	})
}
