package faults

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestAbsences takes parts of the chain away for a while, under load.
func TestAbsences(t *testing.T) {
	t.Parallel()
	in := install(t, nil).start("db", "copy", "frozen", "gone")
	t.Run("Postgres stopped and started again", func(t *testing.T) {
		in.under(t, "db", 800, func() {
			in.db.stop()
			pause(t, spell(3*time.Second, 2*time.Minute))
			in.db.start()
		})
	})
	t.Run("Postgres and its backends killed in the middle of a COPY", func(t *testing.T) {
		in.under(t, "copy", 3000, func() {
			for range int(spell(1, 10)) {
				in.freeze("persist", time.Second)                            // what piles up makes the COPY long
				must(t, syscall.Kill(in.copyingBackend(t), syscall.SIGKILL)) // Postgres then ends every backend and recovers
				in.db.await()
				in.freeze("persist", time.Second)
				must(t, in.cancelCopy(t))
			}
		})
	})
	t.Run("each role stalled", func(t *testing.T) {
		in.under(t, "frozen", 300, func() {
			for _, role := range chain {
				in.freeze(role, spell(500*time.Millisecond, time.Minute))
			}
		})
	})
	t.Run("a container killed", func(t *testing.T) { in.killedContainer(t) })
}

// killedContainer checks that what a container wrote before kill -9 is kept to
// the end, and of what it sent all that came before the first that is lost.
func (in *installation) killedContainer(t *testing.T) {
	t.Helper()
	in.use(t)
	c := in.container("gone-1-aaaaaa", "-rate", "300")
	pause(t, 1500*time.Millisecond)
	c.kill()
	written := map[string]int{}
	for line := range strings.Lines(c.output()) {
		if name, _, ok := strings.Cut(line, ":"); ok && (name == "out" || name == "err") {
			written[name]++
		}
	}
	if written["out"] == 0 || written["err"] == 0 {
		t.Fatalf("the container wrote %v", written)
	}
	in.verify(series{app: "gone", name: "out", n: written["out"]}, series{app: "gone", name: "err", n: written["err"]})
	sent, err := in.stored("gone", "sock")
	must(t, err)
	if err := checkPrefix(sent, 1); err != nil {
		t.Errorf("the records that the container sent: %v", err)
	}
}

// under runs a fault while a sender and the router send, and then checks their
// records.
func (in *installation) under(t *testing.T, app string, perSecond int, fault func()) {
	t.Helper()
	in.use(t)
	series := fmt.Sprintf("s%d", time.Now().UnixNano())
	s := in.logs(app, series, perSecond)
	pause(t, 300*time.Millisecond)
	fault()
	pause(t, 300*time.Millisecond)
	in.verify(s.stop())
}

// copyingBackend waits for a COPY of records and returns its process.
func (in *installation) copyingBackend(t *testing.T) (pid int) {
	t.Helper()
	deadline := time.Now().Add(arrival)
	for time.Now().Before(deadline) {
		if pids, err := in.db.copying(); err == nil && len(pids) > 0 {
			return pids[0]
		}
	}
	t.Fatal("no COPY was seen")
	return 0
}

// cancelCopy ends the connection of a COPY as an administrator would.
func (in *installation) cancelCopy(t *testing.T) error {
	t.Helper()
	for deadline := time.Now().Add(arrival); time.Now().Before(deadline); {
		var ended bool
		err := in.pool.QueryRow(t.Context(), `SELECT coalesce(bool_or(pg_terminate_backend(pid)), false) FROM pg_stat_progress_copy WHERE command = 'COPY FROM'`).Scan(&ended)
		if err == nil && ended {
			return nil
		}
	}
	return errors.New("no COPY was seen")
}

// TestABatchOnItsWayWhenTheAgentDiesIsStoredOnce kills the agent while the
// stream stands still: what the agent has sent lies in the socket, and is
// taken when the next agent is already there and its clients send again.
func TestABatchOnItsWayWhenTheAgentDiesIsStoredOnce(t *testing.T) {
	t.Parallel()
	in := install(t, nil).start("late")
	dice := random(3)
	s := in.logs("late", "s", 2500)
	for range 6 {
		pause(t, time.Duration(200+dice.IntN(300))*time.Millisecond)
		in.roles["stream"].signal(syscall.SIGSTOP)
		pause(t, time.Duration(20+dice.IntN(100))*time.Millisecond)
		in.roles["logship"].kill()
		pause(t, time.Duration(150+dice.IntN(500))*time.Millisecond)
		in.roles["stream"].signal(syscall.SIGCONT)
	}
	in.verify(s.stop())
}
