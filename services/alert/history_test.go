package alert

import (
	"testing"
	"time"

	"kurama/logship/record"
)

func TestTheWindowOfANewAlertHoldsWhatCameBefore(t *testing.T) {
	b := setup(t)
	b.exec("UPDATE apps SET created_at = now() - interval '1 day'")
	state, err := b.stream.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	store := func(seq int, at time.Time) {
		t.Helper()
		b.exec(`INSERT INTO records (ts, id, seq, release, kind, level, tenant, app, replica, msg) VALUES ($1, gen_random_uuid(), $2, 1, $3, $4, 'default', 'hello', 'a', '')`,
			at, seq, int(record.KindLog), int(record.LevelError))
	}
	persisted := func(seq int) {
		t.Helper()
		b.exec(`INSERT INTO sink_positions (sink, seq, stream) VALUES ('persist', $1, $2) ON CONFLICT (sink) DO UPDATE SET seq = excluded.seq`, seq, state.ID)
	}
	b.start()
	for i := range 4 { // on the stream and stored
		b.publish(&record.Record{Kind: record.KindLog, Level: record.LevelError, Msg: "broken"})
		store(i+1, time.Now().Add(-time.Minute))
	}
	first := b.add("cpu > 99")
	b.until("the service is at work", func() { b.load(20) }, func() bool {
		list, err := b.rules.List(t.Context(), "default", "hello")
		return err == nil && list[0].ID == first.ID && list[0].Value != ""
	})
	b.add(`count(level >= ERROR, "30m") > 6`)
	value := func() string {
		list, err := b.rules.List(t.Context(), "default", "hello")
		if err != nil {
			t.Fatal(err)
		}
		return list[1].Value
	}
	b.until("the new alert is looked at", func() { b.load(20) }, func() bool { return value() == "count(level >= ERROR, 30 min) 0" })
	for i := range 3 {
		store(1, time.Now().Add(-time.Duration(20+i)*time.Minute))
	}
	store(1, time.Now().Add(-40*time.Minute)) // before the window
	store(1_000_000, time.Now())              // it will come by the stream
	persisted(int(b.sent.Load()))
	b.publish(&record.Record{Kind: record.KindLog, Level: record.LevelError, Msg: "one more"})
	b.until("the past is there", func() { b.load(20) }, func() bool { return value() == "count(level >= ERROR, 30 min) 8" })
	b.until("it fires", func() { b.load(20) }, func() bool { return b.message().Kind == kindFiring })
}

func TestAWindowIsNotFilledFromWhatPersistWasKeptFrom(t *testing.T) {
	b := setup(t)
	begin := time.Now().Add(-time.Hour)
	b.exec("UPDATE apps SET created_at = now() - interval '1 day'")
	for _, c := range []struct {
		name, config, changed string
		whole                 bool
	}{
		{"no pipeline", "", "", true},
		{"one that keeps nothing from persist", `{"profile":{"off":true},"persist":{"retention_days":2}}`, "2 h", true},
		{"persist is off", `{"persist":{"off":true}}`, "2 h", false},
		{"persist takes a sample", `{"persist":{"take":[{"sample":0.1}]}}`, "2 h", false},
		{"persist takes all again for some minutes", `{}`, "5 min", false},
	} {
		b.exec("DELETE FROM pipelines")
		if c.changed != "" {
			b.exec("INSERT INTO pipelines (tenant, app, config, updated_by, updated_at) VALUES ('default', 'hello', $1::text::jsonb, 'ann', now() - $2::text::interval)", c.config, c.changed)
		}
		whole, made, err := storedWhole(t.Context(), b.pool, appKey{"default", "hello"}, begin)
		if err != nil || whole != c.whole || !made.Before(begin) {
			t.Errorf("%s: stored whole is %v, made %s, error %v", c.name, whole, made, err)
		}
	}
	if whole, _, err := storedWhole(t.Context(), b.pool, appKey{"default", "gone"}, begin); whole || err != nil {
		t.Errorf("an app that is gone: %v, %v", whole, err)
	}
}

func TestNoDataDoesNotFireWherePersistIsOff(t *testing.T) {
	b := setup(t)
	b.exec("UPDATE apps SET created_at = now() - interval '1 day'")
	b.exec(`INSERT INTO pipelines (tenant, app, config, updated_by, updated_at) VALUES ('default', 'hello', '{"persist":{"off":true}}', 'ann', now() - interval '2 h')`)
	state, err := b.stream.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.exec("INSERT INTO sink_positions (sink, seq, stream) VALUES ('persist', 1000000, $1)", state.ID)
	now := time.Now()
	w := &watcher{Service: New(b.cfg, Options{Pool: b.pool, Stream: b.stream}), seen: newWatch(), stream: state.ID, clock: now, seq: 7}
	c, err := Compile(`nodata("30m")`)
	if err != nil {
		t.Fatal(err)
	}
	key := appKey{"default", "hello"}
	figure := func() (v float64, known bool) {
		t.Helper()
		w.want(key, c)
		if err := w.recall(t.Context(), now); err != nil || len(w.wishes) > 0 {
			t.Fatalf("%d wishes are open: %v", len(w.wishes), err)
		}
		v, known = w.seen.figures(key, now)[c.calls[0].name]
		return v, known
	}
	if v, known := figure(); known && v != 0 {
		t.Error("no data is told of an app whose records are not stored")
	}
	b.exec("DELETE FROM pipelines")
	w.seen = newWatch()
	if v, known := figure(); !known || v != 1 {
		t.Errorf("no data of an app whose records are stored: %v, %v", v, known)
	}
}
