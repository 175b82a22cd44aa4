// Package paas holds the words and rules of the platform: tenants, apps,
// releases, replicas, routes. It does no I/O.
package paas

import (
	"net/netip"
	"time"
)

// DefaultTenant is the tenant that exists from the first start. Its apps also
// answer on <app>.<domain>, without the tenant in the name.
const DefaultTenant = "default"

// Role is what a person or token may do within a tenant.
type Role string

// The roles, from the one above all tenants down to read-only.
const (
	RoleOperator  Role = "operator"
	RoleOwner     Role = "owner"
	RoleDeveloper Role = "developer"
	RoleViewer    Role = "viewer"
)

// AppState is the state of an app as its owner sees it.
type AppState string

// The states of an app.
const (
	AppNew       AppState = "new"       // created, nothing deployed yet
	AppDeploying AppState = "deploying" // first release on its way
	AppRunning   AppState = "running"
	AppStopped   AppState = "stopped" // scaled to no replica
	AppAsleep    AppState = "asleep"  // without a replica since nobody asked for it; the next request wakes it
	AppFailed    AppState = "failed"  // no live release, or its replicas keep dying
	AppDeleting  AppState = "deleting"
)

// App is a tenant's deployable program.
type App struct {
	Tenant  string   `json:"tenant"`
	Name    string   `json:"name"`
	UID     int      `json:"-"` // serial number; the container's uid is 20000 + UID
	State   AppState `json:"state"`
	Reason  string   `json:"reason,omitempty"`
	Desired int      `json:"desired"`
	Asleep  bool     `json:"-"`       // Desired is 0 by the autoscaler's decision, not by a person's
	Release int      `json:"release"` // live release, 0 before the first
	Restart int      `json:"-"`
	Runtime string   `json:"runtime,omitempty"` // OCI runtime of its containers; empty: the installation's
	Canary  Canary   `json:"canary,omitzero"`
	Routing Routing  `json:"-"`

	Rollback AutoRollback `json:"-"`

	Static []ServedStatic `json:"-"` // of the live release and of a canary, where they have any

	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// ReleaseState is the state of a release.
type ReleaseState string

// The states of a release.
const (
	ReleaseBuilding   ReleaseState = "building"
	ReleaseStarting   ReleaseState = "starting"
	ReleaseLive       ReleaseState = "live"
	ReleaseCanary     ReleaseState = "canary" // serves a share of the requests beside the live one
	ReleaseSuperseded ReleaseState = "superseded"
	ReleaseFailed     ReleaseState = "failed"
)

// Release is an immutable numbered version of an app: source, dependency
// layer and settings. Only its state moves.
type Release struct {
	Tenant       string            `json:"tenant"`
	App          string            `json:"app"`
	Number       int               `json:"number"`
	State        ReleaseState      `json:"state"`
	Reason       string            `json:"reason,omitempty"`
	SourceDigest string            `json:"source_digest"`
	Commit       string            `json:"commit,omitempty"` // of a push with git: short id and first line
	Layer        string            `json:"layer"`
	Start        Start             `json:"start"`
	Limits       Limits            `json:"limits"`
	Env          map[string]string `json:"-"`
	RollbackOf   int               `json:"rollback_of,omitempty"`
	CreatedBy    string            `json:"created_by"`
	CreatedAt    time.Time         `json:"created_at"`
	LiveAt       *time.Time        `json:"live_at,omitempty"`

	Share      int        `json:"share,omitempty"`       // percent of the clients that it was deployed for as a canary; 0: for all
	CanaryAt   *time.Time `json:"canary_at,omitempty"`   // when it first got requests as a canary
	RolledBack string     `json:"rolled_back,omitempty"` // why Kurama took it back by itself; empty: it did not
}

// Built reports whether the release got as far as its dependencies.
func (r Release) Built() bool { return r.State != ReleaseBuilding && len(r.Start.Command) > 0 }

// Layer is what a build made of an app's dependencies.
type Layer struct {
	Key  string        // empty: the base image has all
	Took time.Duration // of the installation, without waiting for its turn; 0: it was there
}

// Image is what an app runs on.
type Image struct {
	Name string
	Took time.Duration // of the installation of its Debian packages; 0: they were there
}

// Start says how an app is started and why that was chosen.
type Start struct {
	Command  []string `json:"command"`            // argv inside the container; $PORT is set
	Shell    bool     `json:"shell"`              // Command is one line for sh -c (Procfile)
	Health   string   `json:"health"`             // path of the probe
	Why      string   `json:"why"`                // one sentence for the build log
	Release  string   `json:"release,omitempty"`  // line for sh -c that is run before a release goes live
	Volumes  []Volume `json:"volumes,omitempty"`  // that kurama.yaml asks for
	Database bool     `json:"database,omitempty"` // that kurama.yaml asks for one
	Static   []Static `json:"static,omitempty"`   // that the router serves, as kurama.yaml says
	Bounds   Bounds   `json:"bounds,omitzero"`    // that kurama.yaml sets

	Cron     []CronJob `json:"cron,omitempty"`     // that kurama.yaml asks for
	Pipeline *Pipeline `json:"pipeline,omitempty"` // that kurama.yaml sets; nil: it says nothing of one

	Rollback *AutoRollbackChange `json:"rollback,omitempty"` // that kurama.yaml sets; nil: it says nothing of it
}

// Limits bound one replica.
type Limits struct {
	CPU    float64 `json:"cpu"`    // cores
	Memory int64   `json:"memory"` // bytes; swap is never given on top
	Disk   int64   `json:"disk"`   // bytes of writable space
	Pids   int64   `json:"pids"`
	Nofile int64   `json:"nofile"`
}

// ReplicaState is the state of a replica.
type ReplicaState string

// The states of a replica.
const (
	ReplicaStarting  ReplicaState = "starting"
	ReplicaHealthy   ReplicaState = "healthy"
	ReplicaUnhealthy ReplicaState = "unhealthy"
	ReplicaDraining  ReplicaState = "draining"
	ReplicaStopped   ReplicaState = "stopped"
)

// Replica is one running instance of a release.
type Replica struct {
	ID        string       `json:"id"` // <app>-<release>-<6 letters>, unique on the platform
	Tenant    string       `json:"tenant"`
	App       string       `json:"app"`
	Release   int          `json:"release"`
	State     ReplicaState `json:"state"`
	Container string       `json:"-"`
	Address   string       `json:"address"` // host:port that the router reaches
	StartedAt time.Time    `json:"started_at"`
	Restarts  int          `json:"restarts"`
}

// Target is an address that the router may send requests to; nothing else is.
type Target struct {
	Replica string `json:"replica"`
	Release int    `json:"release"`
	Address string `json:"address"`
}

// Route sends the requests of some domains to an app's targets.
type Route struct {
	Tenant  string   `json:"tenant"`
	App     string   `json:"app"`
	Hosts   []string `json:"hosts"` // domains: hosts in lower case without port, and paths below them (see Domain)
	State   AppState `json:"state"` // tells the router what to say, and whether to wait, when Targets is empty
	Targets []Target `json:"targets"`
	Gate    Gate     `json:"gate,omitzero"`
	Bounds  Bounds   `json:"bounds,omitzero"`
	Canary  Canary   `json:"canary,omitzero"`

	Static []ServedStatic `json:"static,omitempty"` // of the live release, and of a canary
}

// Gate is what stands before an app's targets; see Routing. The zero value lets
// everybody in.
type Gate struct {
	HTTPS       bool    `json:"https,omitempty"` // requests without TLS are led to https://
	Maintenance bool    `json:"maintenance,omitempty"`
	Message     string  `json:"message,omitempty"`
	User        string  `json:"user,omitempty"`
	Password    string  `json:"password,omitempty"` // hashed
	Rate        float64 `json:"rate,omitempty"`
	Burst       int     `json:"burst,omitempty"`
}

// Table is all that the router knows. Version only grows; an older table than
// the one in force is refused.
type Table struct {
	Version  int64     `json:"version"`
	Routes   []Route   `json:"routes"`
	Networks []Network `json:"networks,omitempty"`
}

// Network is where the containers of a tenant have their addresses: who asks
// from there is the tenant's, and reaches its apps as <app>.internal.
type Network struct {
	Tenant string       `json:"tenant"`
	Range  netip.Prefix `json:"range"`
}

// InternalSuffix ends the names by which the apps of a tenant reach one another.
const InternalSuffix = ".internal"
