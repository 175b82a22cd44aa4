package runtime

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

const (
	// calmFor is how long a replica must have all of its CPU before that is told.
	calmFor = 2 * time.Second
	// tellAgain is the time between two sentences about the same replica being slowed.
	tellAgain = time.Minute
	// meetTimeout bounds the question who a container is.
	meetTimeout = 5 * time.Second
)

// suspect is one running container of a tenant that takes CPU.
type suspect struct {
	known   bool // the engine has said who it is
	replica string
	kind    string
	cores   float64 // that it may use
	output  growth
	at      time.Time
	flood   brake
	part    float64 // of its CPU that it is left now

	told   bool      // that it is slowed
	toldAt time.Time // when that was
	wellAt time.Time // since when it has all of its CPU
}

// met is what the engine says about a container.
type met struct {
	group string
	who   *suspect // nil: it is gone
}

// suspects looks at the containers of the tenants that are active, and the first
// time at all: one that an earlier process has left slowed takes next to nothing.
func (k *keeper) suspects(ctx context.Context, now time.Time) {
	found := map[string]bool{}
	for tenant, l := range k.tenants {
		for _, group := range k.kernel.below(tenant, "*") {
			found[group] = true
			s := k.replicas[group]
			switch {
			case s == nil && (l.cores >= activeFrom || !k.all):
				k.replicas[group] = &suspect{part: 1}
				go k.meet(ctx, group)
			case s != nil && s.known && (l.cores >= activeFrom || s.part < 1 || s.told):
				k.judge(group, s, now)
			}
		}
	}
	for group := range k.replicas {
		if !found[group] {
			delete(k.replicas, group)
		}
	}
	k.all = true
}

// meet asks the engine who a container is.
func (k *keeper) meet(ctx context.Context, group string) {
	asking, cancel := context.WithTimeout(ctx, meetTimeout)
	defer cancel()
	m := met{group: group}
	id := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(group), "docker-"), ".scope")
	if c, err := k.engine.docker.ContainerInspect(asking, id); err == nil && c.Config != nil && c.HostConfig != nil {
		cores := k.cores
		if c.HostConfig.NanoCPUs > 0 {
			cores = float64(c.HostConfig.NanoCPUs) / 1e9
		}
		m.who = &suspect{known: true, replica: c.Config.Labels[LabelReplica], kind: c.Config.Labels[LabelKind],
			cores: cores, output: growth{path: c.LogPath},
			flood: newFlood(float64(k.engine.cfg.OutputRate))}
	}
	select {
	case k.met <- m:
	case <-ctx.Done():
	}
}

func (k *keeper) take(m met) {
	switch {
	case k.replicas[m.group] == nil:
	case m.who == nil:
		delete(k.replicas, m.group)
		k.all = false // asked again while it is there
	default:
		m.who.at = time.Now()
		m.who.output.since()
		k.replicas[m.group] = m.who // part 0: an earlier process may have left it slowed
	}
}

// judge slows a container that does too much, or gives it back what it was
// denied.
func (k *keeper) judge(group string, s *suspect, now time.Time) {
	span := now.Sub(s.at)
	if span <= 0 {
		return
	}
	s.at = now
	wrote := s.output.since()
	s.flood.look(float64(wrote), span)
	if part := s.flood.part; part != s.part {
		if k.kernel.bound(group, s.cores*part) != nil {
			return // it has just ended
		}
		s.part = part
	}
	if s.kind == KindReplica {
		k.say(s, float64(wrote)/span.Seconds(), now)
	}
}

// say tells when a replica is slowed, and when it is no more.
func (k *keeper) say(s *suspect, rate float64, now time.Time) {
	if s.part < 1 {
		s.wellAt = now
	}
	switch {
	case s.told && now.Sub(s.wellAt) > calmFor:
		s.told = false
		k.tell(s.replica, false, s.replica+" has all of its CPU again.")
	case s.told || s.part >= 0.5 || now.Sub(s.toldAt) < tellAgain:
	default:
		s.told, s.toldAt = true, now
		k.tell(s.replica, true, fmt.Sprintf("%s writes %.1f MiB a second to its output, which costs the host more than it may: the bound is %s (docker.output_rate). It is slowed until it writes less. Print less, or to a file.",
			s.replica, rate/mib, k.engine.cfg.OutputRate))
	}
}
