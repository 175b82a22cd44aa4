package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"kurama/sdk/reqsim"
)

// What is loaded: four replicas of four slots, at three fifths of what three
// of them can do.
const (
	balanceReplicas = 4
	balanceSlots    = 4
	balanceWork     = 40 * time.Millisecond // mean
	balanceSigma    = 0.3                   // of the logarithm
	balanceRate     = 180.0
	balanceLasts    = 10 * time.Second
	balanceRounds   = 3
	balanceSlow     = 10 // times
	balanceAway     = 2 * time.Second
)

// uneven is one way in which the last replica differs from the others.
type uneven struct {
	name  string
	ideal ideal
	do    func(f *farm, ctx context.Context) error // beside the load; nil: nothing
}

func unevens() []uneven {
	base := ideal{replicas: balanceReplicas, slots: balanceSlots, rate: balanceRate, length: balanceLasts.Seconds(), times: 1, from: math.Inf(1)}
	with := func(edit func(*ideal)) ideal {
		i := base
		edit(&i)
		return i
	}
	away := func(i *ideal) {
		i.from, i.to = balanceLasts.Seconds()/2, balanceLasts.Seconds()/2+balanceAway.Seconds()
	}
	return []uneven{
		{"one replica ten times slower", with(func(i *ideal) { i.times = balanceSlow }), nil},
		{"one replica freezes for 2 s", with(away), (*farm).freeze},
		{"one replica restarts within 2 s", with(func(i *ideal) { away(i); i.restarts = true }), (*farm).restart},
	}
}

// measureBalance sends requests through a router of its own to uneven replicas
// and holds the p99 against that of an ideal shared queue.
func (b *bench) measureBalance(ctx context.Context) error {
	p, err := b.up(ctx)
	if err != nil {
		return err
	}
	for _, u := range unevens() {
		var runs, ideals []float64
		for round := range balanceRounds {
			if err := p.settle(ctx); err != nil {
				return err
			}
			p99, err := u.run(ctx, p)
			if err != nil {
				return fmt.Errorf("%s: %w", u.name, err)
			}
			runs, ideals = append(runs, p99), append(ideals, u.ideal.p99(uint64(round+1)))
		}
		b.report.add(figure{Section: "balance", Name: "p99, " + u.name, Unit: "ms", Runs: runs, Peer: "ideal shared queue", PeerRuns: ideals, Aim: ratioAtMost(1.5)})
	}
	return nil
}

// run loads fresh replicas behind a fresh router and returns the p99 in ms.
func (u uneven) run(ctx context.Context, p *platform) (float64, error) {
	f, err := newFarm(ctx, u.ideal.times)
	defer f.stop()
	if err != nil {
		return 0, err
	}
	second, err := p.secondRouter(ctx, f.addresses()...)
	if err != nil {
		return 0, err
	}
	defer second.stop()
	done := make(chan error, 1)
	if u.do == nil {
		done <- nil
	} else {
		go func() { done <- u.do(f, ctx) }()
	}
	report, err := reqsim.Run(ctx, reqsim.Plan{URL: "http://" + second.address, Host: routerHost, Rate: balanceRate, Duration: balanceLasts}, nil)
	if err := errors.Join(err, <-done); err != nil {
		return 0, err
	}
	if report.Failed > 0 || report.Unsent > 0 {
		return 0, fmt.Errorf("%d of %d requests failed and %d were not sent: %v", report.Failed, report.Planned, report.Unsent, report.Errors)
	}
	return report.Latency.P99, nil
}

// farm is the replicas behind the router; the last is the uneven one.
type farm struct{ replicas []*peer }

func newFarm(ctx context.Context, times float64) (*farm, error) {
	f := &farm{}
	for i := range balanceReplicas {
		work := balanceWork
		if i == balanceReplicas-1 {
			work = time.Duration(times * float64(work))
		}
		r, err := startPeer(ctx, "replica", strconv.Itoa(balanceSlots), work.String())
		if err != nil {
			return f, err
		}
		f.replicas = append(f.replicas, r)
	}
	return f, nil
}

func (f *farm) addresses() (list []string) {
	for _, r := range f.replicas {
		list = append(list, r.address)
	}
	return list
}

func (f *farm) stop() {
	for _, r := range f.replicas {
		r.stop()
	}
}

func (f *farm) last() *peer { return f.replicas[len(f.replicas)-1] }

// freeze stops the last replica's process for a while in the middle.
func (f *farm) freeze(ctx context.Context) error {
	pause(ctx, balanceLasts/2)
	if err := f.last().cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	pause(ctx, balanceAway)
	return f.last().cmd.Process.Signal(syscall.SIGCONT)
}

// restart kills the last replica in the middle and starts it anew at the same
// address.
func (f *farm) restart(ctx context.Context) error {
	pause(ctx, balanceLasts/2)
	old := f.last()
	old.stop()
	pause(ctx, balanceAway)
	fresh, err := startPeer(ctx, "replica", strconv.Itoa(balanceSlots), balanceWork.String(), old.address)
	if err == nil {
		f.replicas[len(f.replicas)-1] = fresh
	}
	return err
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// serveReplica works on as many requests at a time as it has slots, each for a
// log-normal time.
func serveReplica(ln net.Listener, args []string) error {
	if len(args) < 2 {
		return errors.New("the replica needs slots and the mean time of a request")
	}
	slots, err1 := strconv.Atoi(args[0])
	work, err2 := time.ParseDuration(args[1])
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	free := make(chan struct{}, slots)
	return http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		free <- struct{}{}
		defer func() { <-free }()
		time.Sleep(time.Duration(float64(work) * workTimes(rand.NormFloat64())))
		backend(w, r)
	}))
}

// workTimes returns how many times the mean a request takes, for a standard
// normal deviate.
func workTimes(z float64) float64 {
	return math.Exp(balanceSigma*z - balanceSigma*balanceSigma/2)
}
