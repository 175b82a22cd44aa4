package faults

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"kurama/logship/record"
	"kurama/logship/wire"
	"kurama/services/alert"
)

// sampleEvery is shorter than the alert service's patience with samples (5 s)
// and than its calm (10 s): an outage of seconds ends no alert.
const sampleEvery = 250 * time.Millisecond

// alarm has an alert on an app's CPU and makes the condition hold and not hold
// by turns: the next turn begins when the service has seen the one before.
type alarm struct {
	in     *installation
	app    string
	rule   alert.Rule
	high   atomic.Bool
	turns  atomic.Int64 // times that the condition began to hold
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// alarm starts one on app.
func (in *installation) alarm(app string) *alarm {
	in.t.Helper()
	in.app(app)
	rule, err := alert.NewRules(in.pool, in.cfg.Alert, in.cfg.SMTP, "http://localhost").Add(in.t.Context(),
		alert.Rule{Tenant: tenant, App: app, Condition: "cpu > 90", Receiver: "ops@example.org", CreatedBy: "test"})
	must(in.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	a := &alarm{in: in, app: app, rule: rule, cancel: cancel}
	client := wire.New(in.folders.Socket("agent.sock"), wire.Options{Buffer: 100_000, Log: slog.New(slog.DiscardHandler)})
	a.done.Go(func() { _ = client.Run(ctx) })
	a.done.Go(func() { a.sample(ctx, client) })
	a.done.Go(func() { a.turn(ctx) })
	in.t.Cleanup(a.end)
	return a
}

func (a *alarm) end() {
	a.cancel()
	a.done.Wait()
}

func (a *alarm) sample(ctx context.Context, client *wire.Client) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		cpu := 5.0
		if a.high.Load() {
			cpu = 99
		}
		client.Send(&record.Record{Kind: record.KindSample, Tenant: tenant, App: a.app, Release: 1, Replica: a.app + "-1-aaaaaa",
			CPU: record.Num(cpu), Mem: record.Num(1)})
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// turn makes the condition hold whenever the service says that all is well,
// and ends it when the service says that it fires.
func (a *alarm) turn(ctx context.Context) {
	a.high.Store(true)
	a.turns.Store(1)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		state, err := a.state(ctx)
		switch {
		case err != nil: // the database is away
		case state == "firing" && a.high.Load():
			a.high.Store(false)
		case state == "ok" && !a.high.Load():
			a.turns.Add(1)
			a.high.Store(true)
		}
	}
}

func (a *alarm) state(ctx context.Context) (state string, err error) {
	err = a.in.pool.QueryRow(ctx, `SELECT state FROM alert_rules WHERE id = $1`, a.rule.ID).Scan(&state)
	return state, err
}

// verify waits for the alert that is under way and checks that each turn has
// made one message, by turns firing and resolved, and that each message
// reached the mail server: more than once only where the service was killed,
// at most again times.
func (a *alarm) verify(again int) {
	t := a.in.t
	t.Helper()
	eventually(t, arrival, func() error {
		if state, err := a.state(t.Context()); err != nil || state != "firing" {
			return fmt.Errorf("the alert is %s: %w", state, err)
		}
		return nil
	})
	turns := int(a.turns.Load())
	var kinds []string
	eventually(t, arrival, func() error {
		rows, err := a.in.pool.Query(t.Context(), `SELECT kind, state FROM notifications WHERE rule = $1 ORDER BY id`, a.rule.ID)
		if err != nil {
			return err
		}
		defer rows.Close()
		kinds = nil
		for rows.Next() {
			var kind, state string
			if err := rows.Scan(&kind, &state); err != nil {
				return err
			}
			if state != "sent" {
				return fmt.Errorf("message %d is %s", len(kinds), state)
			}
			kinds = append(kinds, kind)
		}
		return rows.Err()
	})
	for i, kind := range kinds {
		if want := []string{"firing", "resolved"}[i%2]; kind != want {
			t.Errorf("message %d is of kind %s: %v", i, kind, kinds)
			break
		}
	}
	if fired := (len(kinds) + 1) / 2; fired != turns {
		t.Errorf("%d alerts were told, the condition began to hold %d times", fired, turns)
	}
	messages, twice := counts(a.in.mail)
	if messages != len(kinds) || twice > again {
		t.Errorf("the mail server has %d messages and %d of them again; %d were queued and the service was killed %d times", messages, twice, len(kinds), again)
	}
	t.Logf("alert %s: %d turns, %d messages, %d sent again", a.app, turns, messages, twice)
}
