package paas

import "time"

// Spec is all that it takes to start one replica, or one command beside it.
type Spec struct {
	Replica string // <app>-<release>-<6 letters>
	Tenant  string
	App     string
	Release int
	Restart int // the app's restart counter that this replica answers to
	UID     int // the app's serial; the process runs as 20000 + UID
	Image   string
	Source  string // folder on the host, read-only in the container as /app
	Layer   string // folder on the host, read-only as /opt/deps; empty: none
	Start   Start
	Limits  Limits
	Env     map[string]string
}

// Container is what the engine says about one replica.
type Container struct {
	Replica
	Restart    int // the app's restart counter it was made for
	UID        int
	Running    bool
	PID        int // of the init process on the host; 0 when not running
	ExitCode   int
	OOMKilled  bool
	FinishedAt time.Time
}

// Socket is an address on which a process listens.
type Socket struct {
	IP   string
	Port int
}
