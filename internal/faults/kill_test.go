package faults

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// victims are what is killed at random, some of them together: what dies with
// another must not count on it when it comes back.
var victims = [][]string{
	{"logship"}, {"stream"}, {"persist"}, {"archive"}, {"alert"}, {"profile"}, {"dashboard"},
	{"logship", "stream"}, {"stream", "persist", "archive"}, chain,
}

func TestKillsAtRandomMomentsLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	in := install(t, nil).start("alpha", "beta", "web", "gamma")
	dice := random(1)
	quiet := in.container("gamma-1-aaaaaa", "-wait")
	a, b := in.logs("alpha", "a", 400), in.logs("beta", "b", 150)
	web := in.requests("web", "w", 300)
	c := in.replicaLogs("gamma", "gamma-1-aaaaaa", "c", 150)
	talking := in.container("gamma-1-bbbbbb", "-rate", "100")
	pulse := in.alarm("pulse")
	count := map[string]int{}
	for n := range *kills {
		pause(t, time.Duration(dice.IntN(1200))*time.Millisecond)
		victim := choose(dice, n)
		in.strike(victim, dice)
		for _, name := range victim {
			count[name]++
		}
		if *long {
			pause(t, time.Duration(500+dice.IntN(2500))*time.Millisecond)
		}
	}
	t.Logf("%d times something was killed, by name: %v", *kills, count)
	in.awaitReady(chain...)
	pause(t, time.Second)
	all := []series{a.stop(), b.stop(), web.stop(), c.stop()}
	all = append(all, talking.finish()...)
	quiet.finish()
	in.verify(all...)
	in.rolledUp("web", all[2].n)
	in.shown("web", all[2].n)
	pulse.verify(count["alert"])
}

// TestWhatIsDroppedIsToldAlthoughTheAgentIsKilled keeps an app above its rate,
// so that each death of the agent has counts in hand.
func TestWhatIsDroppedIsToldAlthoughTheAgentIsKilled(t *testing.T) {
	t.Parallel()
	in := install(t, nil)
	in.configure("rate_limit: 4000, rate_burst: 20000", "rate_limit: 150, rate_burst: 150")
	in.start("loud")
	dice := random(5)
	talking := in.container("loud-1-aaaaaa", "-rate", "300")
	deaths := max(4, *kills/5)
	for range deaths {
		pause(t, time.Duration(500+dice.IntN(2500))*time.Millisecond)
		in.killAll("logship")
	}
	in.awaitReady("logship")
	pause(t, time.Second)
	sent, kept := 0, talking.finish()
	for _, s := range kept {
		sent += s.n
	}
	eventually(t, arrival, func() error {
		stored, dropped, guessed, err := in.account("loud")
		if err == nil && (stored+dropped < sent || stored == sent || guessed > 0) {
			err = fmt.Errorf("%d are stored and %d were told to be dropped (%d guessed), %d were sent", stored, dropped, guessed, sent)
		}
		if err == nil {
			t.Logf("%d sent over three ways, %d stored, %d told to be dropped, the agent killed %d times", sent, stored, dropped, deaths)
		}
		return err
	})
	for _, s := range kept {
		list, err := in.stored(s.app, s.name)
		must(t, err)
		slices.Sort(list) // what was dropped, and not told yet, may be taken when it is sent again
		if len(slices.Compact(list)) < len(list) {
			t.Errorf("Postgres: a number of series %s is there twice", s.name)
		}
	}
}

// choose takes each victim once before it leaves it to the dice.
func choose(dice *rand.Rand, n int) []string {
	if n < len(victims) {
		return victims[n]
	}
	switch i := dice.IntN(len(victims) + 2); {
	case i < len(victims):
		return victims[i]
	case i == len(victims):
		return []string{"logship"} // the two that are in the way of every record die more often
	default:
		return []string{"stream"}
	}
}

// strike kills the victims at the same moment; everything includes the
// database. Sometimes they are killed again while they start.
func (in *installation) strike(victim []string, dice *rand.Rand) {
	in.t.Helper()
	in.t.Logf("kill -9 %s", strings.Join(victim, " "))
	if len(victim) == len(chain) {
		in.db.kill()
	}
	in.killAll(victim...)
	if dice.IntN(4) == 0 {
		pause(in.t, time.Duration(100+dice.IntN(300))*time.Millisecond)
		in.killAll(victim...)
	}
	if len(victim) == len(chain) {
		in.db.await()
	}
}

// freeze stops a role for a while, as a machine that swaps does.
func (in *installation) freeze(name string, d time.Duration) {
	in.t.Helper()
	in.roles[name].signal(syscall.SIGSTOP)
	pause(in.t, d)
	in.roles[name].signal(syscall.SIGCONT)
}
