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
