package alert

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	reload   = time.Second      // between two readings of the rules
	position = time.Second      // between two writings of the position
	values   = 5 * time.Second  // between two writings of the values of rules that keep their state
	calmMin  = 10 * time.Second // a condition is over when it has not held for this, or for the interval where that is longer
)

// running is a rule with what the service knows of it.
type running struct {
	rule      Rule
	condition *Condition // nil: it cannot be compiled (any more)
	status    status
	began     time.Time // when the condition began to hold; zero where not known
	figures   Figures
	value     string
	written   string // value in the table
	points    []point
	told      time.Time // when the receiver was last told that it fires; zero: not
	ended     time.Time // when the condition held last
}

// skip passes over the time from one evaluation to the next one, at to, in
// which nobody watched.
func (r *running) skip(from, to time.Time) {
	gap := to.Sub(from)
	if from.IsZero() {
		gap = to.Sub(r.status.since)
	}
	r.status = r.status.unwatched(max(0, gap))
	r.began = time.Time{}
}

// outcome is what an evaluation has to write.
type outcome struct {
	moved  []*running
	values []*running
	mails  []mailOut
	events []mailOut // what the app's stream is told, silenced or not
}

type mailOut struct {
	running *running
	notice  notice
	kind    string
}

// load reads the rules again. The state of a rule that is known already is the
// one in memory: nobody else writes it.
func (w *watcher) load(ctx context.Context) error {
	rows, err := w.opts.Pool.Query(ctx, "SELECT "+ruleColumns+" FROM alert_rules")
	if err != nil {
		return fmt.Errorf("reading the alert rules: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanRule)
	if err != nil {
		return fmt.Errorf("reading the alert rules: %w", err)
	}
	present := make(map[string]bool, len(list))
	for _, rule := range list {
		present[rule.ID] = true
		if w.rules[rule.ID] != nil {
			continue
		}
		r := &running{rule: rule, status: status{state: rule.State}, value: rule.Value, written: rule.Value}
		if rule.Since != nil {
			r.status.since = *rule.Since
		}
		r.told, r.began, r.ended = timeOf(rule.told), timeOf(rule.heldFrom), timeOf(rule.heldTo)
		if r.condition, err = compileRule(rule); err == nil {
			w.want(appKey{rule.Tenant, rule.App}, r.condition)
		} else {
			w.log.Error("An alert rule cannot be read; it is left alone.", "app", rule.App, "rule", rule.ID, "condition", rule.Condition, "error", err)
		}
		w.rules[rule.ID] = r
	}
	for id := range w.rules {
		if !present[id] {
			delete(w.rules, id)
		}
	}
	w.forgetMeters()
	if err := w.loadSilences(ctx); err != nil {
		return err
	}
	w.loaded = w.opts.Now()
	return nil
}

// want measures what a condition asks for, and the past of its windows.
func (w *watcher) want(key appKey, c *Condition) {
	before := uint64(0)
	if w.seq > 0 {
		before = w.seq + 1
	}
	for _, m := range w.seen.meter(key, c, w.clock) {
		if m.of.fn != "new_exception" { // its kinds are kept in a table of their own
			w.wishes = append(w.wishes, wish{key: key, meter: m, before: before, texts: c.readsTexts()})
		}
	}
}

// forgetMeters drops the meters that no rule uses any more.
func (w *watcher) forgetMeters() {
	used := map[appKey]map[string]bool{}
	w.lookBack = lookBackMin
	for _, r := range w.rules {
		if r.condition == nil {
			continue
		}
		key := appKey{r.rule.Tenant, r.rule.App}
		if used[key] == nil {
			used[key] = map[string]bool{}
		}
		for _, call := range r.condition.calls {
			used[key][call.name] = true
		}
		w.lookBack = max(w.lookBack, r.condition.longest()+lookBackMin/3)
	}
	for key, a := range w.seen.apps {
		maps.DeleteFunc(a.meters, func(name string, _ *meter) bool { return !used[key][name] })
	}
}

// evaluate decides every rule as of the time t and writes what follows.
func (w *watcher) evaluate(ctx context.Context, t time.Time) error {
	now := w.opts.Now()
	if sinceAbs(now, w.loaded) >= reload {
		if err := w.load(ctx); err != nil {
			return err
		}
		w.seen.forget(t)
		if err := w.recall(ctx, t); err != nil {
			return err
		}
	}
	writeValues := sinceAbs(now, w.valued) >= values
	known := map[appKey]Figures{}
	var out outcome
	for _, r := range w.rules {
		if r.condition == nil {
			continue
		}
		key := appKey{r.rule.Tenant, r.rule.App}
		if known[key] == nil {
			known[key] = w.figures(key, t)
		}
		w.step(r, known[key], t, &out)
		if writeValues && r.value != r.written {
			out.values = append(out.values, r)
		}
	}
	w.metrics.count(w.rules)
	if len(out.moved)+len(out.values) == 0 && sinceAbs(now, w.stored) < position {
		return nil
	}
	if err := w.write(ctx, out); err != nil {
		return err
	}
	w.stored = now
	if writeValues {
		w.valued = now
	}
	w.announce(out)
	return nil
}

// figures returns what is known about an app at t: nothing while its pipeline
// has turned the service off, so that no rule holds. What is counted over a
// window begins anew when it is on again.
func (w *watcher) figures(key appKey, t time.Time) Figures {
	if !w.opts.Gate.Off(key.tenant, key.app) {
		return w.seen.figures(key, t)
	}
	if a := w.seen.apps[key]; a != nil {
		for _, m := range a.meters {
			m.begun = t
		}
	}
	return Figures{}
}

// step moves one rule and notes what has to be written and told.
func (w *watcher) step(r *running, f Figures, t time.Time, out *outcome) {
	before := r.status
	holds := r.condition.Holds(f)
	calm := max(w.calm, time.Duration(r.rule.KeepFiring*float64(time.Second)))
	next, ch := before.next(t, holds, r.condition.For, calm)
	r.status, r.figures, r.value = next, f, r.condition.Now(f)
	r.plot(t, f)
	switch ch {
	case fired:
		r.began = t
		if before.state == statePending {
			r.began = before.since
		}
		out.events = append(out.events, mailOut{r, w.noticeOf(r, t), kindFiring})
	case resolved:
		r.ended = before.quiet
		if r.began.IsZero() { // fired before a restart: it began its for-duration before
			r.began = before.since.Add(-r.condition.For)
		}
		out.events = append(out.events, mailOut{r, w.noticeOf(r, t), kindResolved})
	}
	if w.tell(r, t, out) || ch != unchanged {
		out.moved = append(out.moved, r)
	}
}

// tell queues the message that is due, and reports whether the receiver knows
// something else than before. In a silence nobody is told: what still fires
// when it ends is told then, what was over meanwhile is not told at all.
func (w *watcher) tell(r *running, t time.Time, out *outcome) bool {
	firing := r.status.state == stateFiring
	repeat := time.Duration(r.rule.Repeat * float64(time.Second))
	switch {
	case firing && !r.told.IsZero() && (repeat == 0 || t.Sub(r.told) < repeat), !firing && r.told.IsZero():
		return false
	case w.silenced(r.rule, t):
		if !firing {
			r.told = time.Time{}
		}
		return !firing
	case firing:
		r.told = t
		out.mails = append(out.mails, mailOut{r, w.noticeOf(r, t), kindFiring})
	default:
		r.told = time.Time{}
		out.mails = append(out.mails, mailOut{r, w.noticeOf(r, t), kindResolved})
	}
	return true
}

// noticeOf gathers what a message about a rule is made from.
func (w *watcher) noticeOf(r *running, t time.Time) notice {
	return notice{rule: r.rule, condition: r.condition, figures: r.figures, now: t, perHour: w.cfg.PerHour, from: r.began, to: r.ended,
		records: w.seen.records(appKey{r.rule.Tenant, r.rule.App}), points: r.points, consoleURL: w.opts.ConsoleURL}
}

// timeOf returns what a nullable time holds; zero for null.
func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// plot keeps the figure that the chart of a message shows.
func (r *running) plot(t time.Time, f Figures) {
	if v, ok := f[r.condition.subject]; ok {
		r.points = append(r.points, point{t, v})
	}
	for len(r.points) > 0 && (t.Sub(r.points[0].at) > chartSpan || r.points[0].at.After(t)) {
		r.points = r.points[1:]
	}
}

// sinceAbs returns how far a and b are apart, so that a clock that was set back
// stops nothing.
func sinceAbs(a, b time.Time) time.Duration { return a.Sub(b).Abs() }
