package alert

import (
	"testing"
	"time"

	"kurama/logship/record"
)

// steppedWatch takes records in at the present of a clock.
type steppedWatch struct {
	*watch
	now time.Time
}

func (w *steppedWatch) tell(cpu float64, requests int) {
	w.observe(sampleAt(w.now, "a", record.Num(cpu)), w.now)
	for range requests {
		w.observe(requestAt(w.now, 200, 5), w.now)
	}
}

// step moves the clock as the service would see it: by the next evaluation.
func (w *steppedWatch) step(by time.Duration) {
	w.now = w.now.Add(by)
	if w.stepped(w.now) {
		w.anew(w.now)
	}
}

func TestAClockThatIsSteppedBlindsNoAlert(t *testing.T) {
	for name, by := range map[string]time.Duration{"an hour ahead": time.Hour, "an hour back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			w := &steppedWatch{watch: newWatch(), now: noon}
			c, err := Compile(`count(level >= INFO, "1m") > 5 and nodata("5m")`)
			if err != nil {
				t.Fatal(err)
			}
			w.meter(hello, c, time.Time{})
			w.tell(10, 9)
			w.step(by)
			if f := w.figures(hello, w.now); f[c.calls[0].name] != 0 || f[c.calls[1].name] != 0 {
				t.Errorf("right after the step, before any record, the figures are %v: want nothing counted, and no lack of data", f)
			}
			for range 20 {
				w.step(time.Second)
				w.tell(93, 1)
			}
			f := w.figures(hello, w.now)
			if f["cpu"] != 93 || f["requests"] != 20 || f[c.calls[0].name] != 20 {
				t.Errorf("20 s after the step the figures are %v, want cpu 93 and 20 requests", f)
			}
			if rate := f["rate"]; rate < 0.9 || rate > 1.2 {
				t.Errorf("the rate is %v, want about 1", rate)
			}
			w.step(6 * time.Second) // the agent has gone
			if n, known := w.figures(hello, w.now)["replicas"]; known {
				t.Errorf("%v replicas are known although nobody reports", n)
			}
		})
	}
	t.Run("read again after a restart, what came before the step hides nothing", func(t *testing.T) {
		w := &steppedWatch{watch: newWatch(), now: noon}
		w.tell(10, 9)
		w.now = w.now.Add(-time.Hour) // nobody evaluates in between
		w.tell(93, 4)
		if f := w.figures(hello, w.now); f["cpu"] != 93 || f["requests"] != 4 {
			t.Errorf("the figures are %v, want cpu 93 and 4 requests", f)
		}
	})
	t.Run("a service that slept keeps what it has read of that time", func(t *testing.T) {
		w := &steppedWatch{watch: newWatch(), now: noon}
		w.tell(10, 9)
		w.now = w.now.Add(time.Hour)
		w.tell(93, 4)
		if w.stepped(w.now.Add(time.Second)) {
			t.Error("a batch of a second ago is taken for a step of the clock")
		}
	})
}
