package alert

import (
	"strings"
	"testing"
	"time"

	"kurama/internal/config"
)

// addFor adds a rule of hello for a receiver.
func (b *bench) addFor(receiver, condition string) {
	b.t.Helper()
	if _, err := b.rules.Add(b.t.Context(), Rule{Tenant: "default", App: "hello", Condition: condition, Receiver: receiver}); err != nil {
		b.t.Fatal(err)
	}
}

// states counts the messages of hello by state.
func (b *bench) states() map[string]int {
	b.t.Helper()
	list, err := b.rules.Notifications(b.t.Context(), "default", "hello", 100)
	if err != nil {
		b.t.Fatal(err)
	}
	count := map[string]int{}
	for _, n := range list {
		count[n.State]++
	}
	return count
}

func TestWhatBeginsTogetherIsOneMailWithinTenSeconds(t *testing.T) {
	b := setup(t)
	usual := config.Default().Alert
	b.cfg.Interval, b.cfg.GroupBy, b.cfg.GroupWait, b.cfg.GroupInterval, b.cfg.PerHour = usual.Interval, usual.GroupBy, usual.GroupWait, usual.GroupInterval, 4
	sink, addr := startSink(t, "127.0.0.1:0")
	b.useSink(addr)
	for _, condition := range []string{"cpu > 90 for 1s", "mem > 10", "cpu > 50", "cpu > 60", "cpu > 70"} {
		b.addFor("ann@example.org", condition)
	}
	b.addFor("bob@example.org", "cpu > 90")
	b.start()
	began := time.Now()
	b.until("two mails", func() { b.load(93) }, func() bool { return b.states()[stateSent] == 2 })
	took := time.Since(began)
	t.Logf("from the first record to both mails accepted: %.1f s", took.Seconds())
	if took > 10*time.Second {
		t.Error("that is more than 10 s")
	}
	for _, m := range sink.all() {
		if m.to == "bob@example.org" {
			if m.subject() != "hello: cpu 93 % > 90 %" {
				t.Errorf("Bob's subject is %q", m.subject())
			}
			continue
		}
		if !strings.HasPrefix(m.subject(), "hello: 5 alerts: ") || strings.Count(m.text, "The condition ") != 5 || strings.Count(m.text, "You get this because") != 1 ||
			strings.Count(m.text, "Open the app: ") != 1 {
			t.Errorf("Ann's subject is %q\n%s", m.subject(), m.text)
		}
	}
	if got := b.states(); got[stateGrouped] != 4 || got[stateSuppressed] != 0 {
		t.Errorf("the messages are %v: those of a group count as one", got)
	}
	b.until("the ends", func() { b.load(5) }, func() bool { return b.states()[stateSent] == 4 })
	for _, m := range sink.all()[2:] {
		if m.to == "ann@example.org" && (!strings.Contains(m.html, `src="cid:chart.png"`) || !strings.Contains(m.html, `src="cid:4-chart.png"`)) {
			t.Errorf("not every alert has its chart:\n%s", m.html)
		}
	}
	if got := b.states(); len(sink.all()) != 4 || got[statePendingMail]+got[stateSuppressed] != 0 {
		t.Errorf("%d mails arrived; the messages are %v", len(sink.all()), got)
	}
}

func TestAMailOfAGroupLeavesAfterItsInterval(t *testing.T) {
	b := setup(t)
	b.cfg.GroupBy, b.cfg.GroupWait, b.cfg.GroupInterval = groupByTenant, 0, 3*time.Second
	sink, addr := startSink(t, "127.0.0.1:0")
	b.useSink(addr)
	b.addFor("ann@example.org", "cpu > 90")
	b.start()
	b.until("the first mail", func() { b.load(93) }, func() bool { return b.states()[stateSent] == 1 })
	first := time.Now()
	b.addFor("ann@example.org", "cpu > 80")
	b.addFor("ann@example.org", "cpu > 70")
	b.until("the second mail", func() { b.load(93) }, func() bool { return b.states()[stateSent] == 2 })
	if took := time.Since(first); took < 2*time.Second || len(sink.all()) != 2 {
		t.Errorf("%d mails, the second after %s", len(sink.all()), took)
	}
	if got := sink.all()[1].subject(); !strings.HasPrefix(got, "hello: 2 alerts: ") {
		t.Errorf("the second is about %q", got)
	}
}
