package deploy

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"time"

	"kurama/paas"
)

// stage is a replica's place in the life of its app.
type stage int

const (
	candidate stage = iota // of a rollout that is not decided yet
	serving                // counts towards what is wanted
	leaving                // drains or is being stopped
)

// replica is one replica as the Deployer sees it.
type replica struct {
	paas.Replica
	stage   stage
	restart int       // the app's restart counter that it answers to
	busy    bool      // somebody starts, probes or restarts it
	crashes int       // since it was last stable
	retryAt time.Time // when it ended: not to be restarted before this
	goodAt  time.Time // since when it is healthy
	oomAt   time.Time // when it last lost a process for memory
	misses  int       // probes in a row that it did not answer while it served
	heard   int64     // the router's count of what came from it
}

// fleet is one app with its replicas.
type fleet struct {
	key
	app      paas.App // as last read; Release only grows
	since    time.Time
	life     context.Context // of its deploys; ends when the app is deleted
	end      context.CancelFunc
	replicas map[string]*replica
	static   map[int][]paas.Static // by release, as far as one has any

	queue     chan struct{}      // closed when the last rollout that queued is over
	waiting   int                // rollouts under way or queued
	canaryAt  time.Time          // when its canary last changed here
	numbers   map[int]*deploying // releases whose deploy is under way
	number    int                // of the last release that this process deployed; 0: none
	deployed  time.Time          // when that was
	liveAt    time.Time          // of the last rollout's replicas
	spareAt   time.Time          // no replica is made to stand by before this
	rolling   bool               // candidates are on their way, or being switched to
	deleting  bool
	measuring bool           // its isolation is
	watched   map[int]*watch // releases that are looked at; each watch is the looker's alone

	failures int // starts in a row that failed
	startAt  time.Time
	reason   string // why the last replica ended
	refused  int    // restart counter whose rollout failed

	announced   int       // wanted replicas as last seen; -1: never
	announcedAt time.Time // and when
	decidedAt   time.Time // of the autoscaler's last decision that was met

	replacing  bool      // a replica that does not answer is being replaced
	replaced   int       // such replacements in a row
	replacedAt time.Time // when the last one ended
}

func newFleet(ctx context.Context, k key, now time.Time) *fleet {
	f := &fleet{key: k, since: now, replicas: map[string]*replica{}, static: map[int][]paas.Static{}, numbers: map[int]*deploying{}, watched: map[int]*watch{}, announced: -1}
	f.life, f.end = context.WithCancel(ctx)
	return f
}

// fleet returns an app's fleet, made where it is new. Callers hold mu.
func (d *Deployer) fleet(k key) *fleet {
	f := d.fleets[k]
	if f == nil {
		f = newFleet(d.life, k, time.Now())
		d.fleets[k] = f
	}
	return f
}

func (d *Deployer) underWay(k key, release int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.fleets[k]
	return f != nil && f.numbers[release] != nil
}

// see takes over what the store says. A snapshot may be older than a switch
// that was just made, so the live release never goes back.
func (f *fleet) see(app paas.App) {
	app.Release = max(app.Release, f.app.Release)
	f.app = app
	maps.DeleteFunc(f.static, func(release int, _ []paas.Static) bool { return release < app.Release && release != app.Canary.Release })
	for _, s := range app.Static {
		f.static[s.Release] = s.Folders
	}
}

// served returns what the router serves by itself: of the newest release that
// has replicas in the table, or of the live one while there are none, and of a
// canary. The files so change with the replicas, in one table.
func (f *fleet) served() []paas.ServedStatic {
	live, canary := f.app.Release, f.app.Canary.Release
	for _, r := range f.in(serving) {
		if r.Release != canary {
			live = max(live, r.Release)
		}
	}
	var found []paas.ServedStatic
	for _, number := range []int{live, canary} {
		if folders := f.static[number]; number > 0 && len(folders) > 0 {
			found = append(found, paas.ServedStatic{Release: number, Folders: folders})
		}
	}
	return found
}

// in returns the replicas of a stage.
func (f *fleet) in(s stage) []*replica {
	var found []*replica
	for _, r := range f.replicas {
		if r.stage == s {
			found = append(found, r)
		}
	}
	return found
}

func (f *fleet) add(c paas.Container, s stage) *replica {
	r := &replica{Replica: c.Replica, stage: s, restart: c.Restart}
	f.replicas[c.ID] = r
	return r
}

func oldestFirst(a, b *replica) int {
	return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.ID, b.ID))
}

// replicaID returns a name that is unique on the platform: 6 letters of 26 for
// the few replicas that one release ever has.
func replicaID(app string, release int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	random := make([]byte, 6)
	_, _ = rand.Read(random) // never fails
	for i, b := range random {
		random[i] = letters[int(b)%len(letters)]
	}
	return fmt.Sprintf("%s-%d-%s", app, release, random)
}

// pause returns how long to wait after the n-th failure in a row, from 1.
func (d *Deployer) pause(n int) time.Duration {
	p := d.opts.App.RestartMin
	for range n - 1 {
		if p *= 2; p >= d.opts.App.RestartMax {
			return d.opts.App.RestartMax
		}
	}
	return p
}
