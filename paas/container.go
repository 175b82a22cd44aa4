package paas

import (
	"maps"
	"slices"
	"time"
)

// Spec is all that it takes to start one replica, or one command beside it.
type Spec struct {
	Replica  string // <app>-<release>-<6 letters>
	Tenant   string
	App      string
	Release  int
	Restart  int // the app's restart counter that this replica answers to
	UID      int // the app's serial; the process runs as 20000 + UID
	Image    string
	Source   string // folder on the host, read-only in the container as /app
	Layer    string // folder on the host, read-only as /opt/deps; empty: none
	Start    Start
	Limits   Limits
	Env      map[string]string
	Volumes  []Volume
	Postgres bool   // the socket of the databases is in the container
	Runtime  string // OCI runtime; empty: the installation's

	SlowRequest time.Duration // a request that takes longer is sampled; 0: none
}

// Alike reports whether replicas of the two differ in nothing but their source
// and their command, so that one that stands by for the one can become the other.
func (s Spec) Alike(o Spec) bool {
	return s.Tenant == o.Tenant && s.App == o.App && s.Release == o.Release && s.Restart == o.Restart && s.UID == o.UID &&
		s.Image == o.Image && s.Layer == o.Layer && s.Limits == o.Limits && s.Runtime == o.Runtime && maps.Equal(s.Env, o.Env) && s.Postgres == o.Postgres &&
		slices.EqualFunc(s.Volumes, o.Volumes, func(a, b Volume) bool { return a.Path == b.Path })
}

// Plain reports whether the command is Kurama's own choice for a Flask app, of
// which it is known what Python loads first.
func (s Start) Plain() bool {
	return !s.Shell && len(s.Command) > 3 && slices.Equal(s.Command[:3], []string{"python3", "-m", "gunicorn"}) &&
		slices.Contains(s.Command, "gthread")
}

// Container is what the engine says about one replica.
type Container struct {
	Replica
	Restart    int // the app's restart counter it was made for
	UID        int
	Standby    bool // it waits for its source, and serves nothing yet
	Running    bool
	PID        int // of the init process on the host; 0 when not running
	ExitCode   int
	OOMKilled  bool
	Runtime    string // OCI runtime
	FinishedAt time.Time
}

// Socket is an address on which a process listens.
type Socket struct {
	IP   string
	Port int
}
