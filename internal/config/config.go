// Package config reads kuramaconfig.yaml into one section per role. A section
// is the Options of its role: the role takes it as it is.
package config

import (
	"strings"
	"time"

	"kurama/paas"
)

// Config is the whole of kuramaconfig.yaml. Default holds every default; the
// shipped file repeats them with a comment each, and a test keeps both equal.
type Config struct {
	Data        string        `yaml:"data"`         // folder of all state
	RunDir      string        `yaml:"run_dir"`      // folder of sockets; empty: DATA/run, or a short path under /tmp where that is too long for a socket
	LogLevel    string        `yaml:"log_level"`    // debug, info, warn, error
	StopTimeout time.Duration `yaml:"stop_timeout"` // bound of a clean stop
	Domain      string        `yaml:"domain"`       // apps answer on <app>.<tenant>.<domain>

	Console    Console     `yaml:"console"`
	TLS        Certificate `yaml:"tls"`
	OIDC       OIDC        `yaml:"oidc"`
	Dashboard  Dashboard   `yaml:"dashboard"`
	Router     Router      `yaml:"router"`
	Domains    Domains     `yaml:"domains"`
	Database   Database    `yaml:"database"`
	Databases  Databases   `yaml:"databases"`
	Stream     Stream      `yaml:"stream"`
	Logship    Logship     `yaml:"logship"`
	Persist    Persist     `yaml:"persist"`
	Archive    Archive     `yaml:"archive"`
	Alert      Alert       `yaml:"alert"`
	SMTP       SMTP        `yaml:"smtp"`
	Profile    Profile     `yaml:"profile"`
	Autoscaler Autoscaler  `yaml:"autoscaler"`
	Reqsim     Reqsim      `yaml:"reqsim"`
	Docker     Docker      `yaml:"docker"`
	Build      Build       `yaml:"build"`
	Git        Git         `yaml:"git"`
	App        App         `yaml:"app"`
	Cron       Cron        `yaml:"cron"`
	Quota      Quota       `yaml:"quota"`
	Disk       Disk        `yaml:"disk"`
}

// Console configures the console and the API (role paas).
type Console struct {
	Listen     string        `yaml:"listen"`       // host:port
	URL        string        `yaml:"url"`          // address that people open; empty: http://localhost:PORT
	SessionAge time.Duration `yaml:"session_age"`  // how long a sign-in lasts
	MaxUpload  Bytes         `yaml:"max_upload"`   // largest upload accepted
	SignInRate int           `yaml:"sign_in_rate"` // failed sign-ins per minute and address; 0: no bound
	Proxies    string        `yaml:"proxies"`      // addresses or ranges whose X-Forwarded-For is believed, with commas between
	InviteAge  time.Duration `yaml:"invite_age"`   // how long an invitation can be accepted
	AuditAge   time.Duration `yaml:"audit_age"`    // how long the audit log keeps a line
	AuditRows  int           `yaml:"audit_rows"`   // lines that the audit log keeps of each tenant

	TerminalTime time.Duration `yaml:"terminal_time"` // how long a terminal into an app stays open
}

// Certificate lets the console and the dashboard speak TLS on their own ports.
// Without File they do not.
type Certificate struct {
	File string `yaml:"certificate"` // PEM, with the certificates between it and the authority's
	Key  string `yaml:"key"`         // PEM
}

// On reports whether there is one.
func (c Certificate) On() bool { return c.File != "" }

// Scheme is that of the console's and the dashboard's addresses.
func (c Certificate) Scheme() string {
	if c.On() {
		return "https"
	}
	return "http"
}

// OIDC configures sign-in by an OpenID Connect provider. Without Issuer there
// is none.
type OIDC struct {
	Issuer       string `yaml:"issuer"`
	ClientID     string `yaml:"client_id"`
	ClientSecret Secret `yaml:"client_secret"`
	Name         string `yaml:"name"`   // what the button says
	Tenant       string `yaml:"tenant"` // where people without an account get one; empty: only who was invited
	Role         string `yaml:"role"`   // that they get there
}

// Dashboard configures the live dashboard.
type Dashboard struct {
	Listen        string        `yaml:"listen"`
	URL           string        `yaml:"url"`            // address that people open; empty: http://localhost:PORT
	FrameInterval time.Duration `yaml:"frame_interval"` // time between two frames
	History       time.Duration `yaml:"history"`        // live points kept in memory
	LogLines      int           `yaml:"log_lines"`      // log records per frame; the rest is counted
	MaxClients    int           `yaml:"max_clients"`
}

// Router configures the data plane.
type Router struct {
	Listen         string        `yaml:"listen"`
	RequestTimeout time.Duration `yaml:"request_timeout"` // until the app's response headers
	HoldTimeout    time.Duration `yaml:"hold_timeout"`    // how long a request waits for a replica to come up
	MaxBody        Bytes         `yaml:"max_body"`        // largest request body
	AppTimeout     time.Duration `yaml:"app_timeout"`     // longest request_timeout that an app may have
	AppBody        Bytes         `yaml:"app_body"`        // largest max_body that an app may have
	InFlight       int           `yaml:"in_flight"`       // requests per replica at once; more wait
	QueueLimit     int           `yaml:"queue_limit"`     // requests that wait per app; more are refused with 503
	SlowStart      time.Duration `yaml:"slow_start"`      // in which a new replica's share grows from a tenth to its whole
	EjectAfter     int           `yaml:"eject_after"`     // requests in a row that a replica fails before it is left out; 0: never
	EjectFor       time.Duration `yaml:"eject_for"`       // how long it is left out; longer each time
	RecordBuffer   int           `yaml:"record_buffer"`   // request records kept while the agent is away
	H2C            bool          `yaml:"h2c"`             // HTTP/2 without TLS too, for a proxy in front that speaks it
	TLS            TLS           `yaml:"tls"`
}

// Most returns the bounds that an app may give itself at the most.
func (r Router) Most() paas.Bounds {
	return paas.Bounds{Timeout: r.AppTimeout.Seconds(), MaxBody: int64(r.AppBody)}
}

// TLS configures the router's encrypted port. Without Listen there is none.
type TLS struct {
	Listen    string `yaml:"listen"`    // host:port; certificate authorities ask for :443
	Directory string `yaml:"directory"` // of the certificate authority, as ACME has it (RFC 8555)
	Email     string `yaml:"email"`     // which the authority writes to; may be empty
	Roots     string `yaml:"roots"`     // PEM file of roots that the directory's own certificate is checked with; empty: the system's
	Redirect  bool   `yaml:"redirect"`  // requests without TLS are led to https://, of every app
}

// Domains configures how the hosts that apps ask for are given out.
type Domains struct {
	Check    bool          `yaml:"check"`    // a tenant has to show by DNS that a host is theirs
	Interval time.Duration `yaml:"interval"` // between two looks at those that wait
}

// Database configures Postgres.
type Database struct {
	URL           Secret `yaml:"url"`            // an external Postgres; empty: Kurama runs its own
	Bin           string `yaml:"bin"`            // folder of initdb and postgres; empty: the newest installed
	MaxConns      int    `yaml:"max_conns"`      // connections per role
	SharedBuffers Bytes  `yaml:"shared_buffers"` // of the private Postgres
}

// Databases configures the Postgres cluster of the apps' databases, which is
// apart from Kurama's own and runs once the first app has asked for one.
type Databases struct {
	SharedBuffers    Bytes         `yaml:"shared_buffers"`
	MaxConns         int           `yaml:"max_conns"`         // connections of all apps together
	AppConns         int           `yaml:"app_conns"`         // connections of one app
	SessionMemory    Bytes         `yaml:"session_memory"`    // of one connection's process
	StatementTimeout time.Duration `yaml:"statement_timeout"` // of a statement, unless the app sets another; 0: none
	Size             Bytes         `yaml:"size"`              // what a database may hold that nobody gave another size
	SizeMax          Bytes         `yaml:"size_max"`          // largest size that an app may give its database
	Interval         time.Duration `yaml:"interval"`          // between two looks at what they hold
}

// Stream configures JetStream.
type Stream struct {
	URL       Secret        `yaml:"url"`       // an external NATS with JetStream; empty: Kurama runs its own
	Listen    string        `yaml:"listen"`    // of the embedded one; loopback only
	MaxBytes  Bytes         `yaml:"max_bytes"` // oldest batches go first beyond it
	MaxAge    time.Duration `yaml:"max_age"`
	Sync      bool          `yaml:"sync"`      // fsync before each ack
	Duplicate time.Duration `yaml:"duplicate"` // window in which a batch sent twice is stored once
	Replicas  int           `yaml:"replicas"`  // servers of an external cluster that hold each batch
}

// Logship configures the agent.
type Logship struct {
	BatchRecords   int           `yaml:"batch_records"`
	BatchBytes     Bytes         `yaml:"batch_bytes"`
	BatchDelay     time.Duration `yaml:"batch_delay"` // a batch is sealed after at most this
	SampleInterval time.Duration `yaml:"sample_interval"`
	MaxLine        Bytes         `yaml:"max_line"`   // longer messages are cut, with a mark
	RateLimit      int           `yaml:"rate_limit"` // records per second and app; more are dropped and counted
	RateBurst      int           `yaml:"rate_burst"`
	SpoolMax       Bytes         `yaml:"spool_max"`  // disk used while the stream is away; the newest are dropped and counted beyond it
	JoinDelay      time.Duration `yaml:"join_delay"` // lines of one traceback on stdout are joined within this
}

// Persist configures the Postgres sink.
type Persist struct {
	BatchRecords int           `yaml:"batch_records"` // records per transaction at the most
	Retention    time.Duration `yaml:"retention"`     // partitions older than this are dropped
	Ahead        int           `yaml:"ahead"`         // daily partitions made in advance
}

// Archive configures the JSON archive.
type Archive struct {
	SealRecords int           `yaml:"seal_records"` // a file is sealed at this many records
	SealAge     time.Duration `yaml:"seal_age"`     // or once the span of this length that it covers is over
	Retention   time.Duration `yaml:"retention"`    // older files are deleted, unless a tenant has its own
	TenantMax   Bytes         `yaml:"tenant_max"`   // of a tenant's files, unless it has its own; 0: no bound
}

// Alert configures the alert service.
type Alert struct {
	Interval      time.Duration `yaml:"interval"`       // between two evaluations
	GroupBy       string        `yaml:"group_by"`       // app, tenant or rule: what leaves as one message where it comes together
	GroupWait     time.Duration `yaml:"group_wait"`     // a message waits so long for others
	GroupInterval time.Duration `yaml:"group_interval"` // between two messages of a group at the least
	PerHour       int           `yaml:"per_hour"`       // messages per app and hour
	RetryMin      time.Duration `yaml:"retry_min"`
	RetryMax      time.Duration `yaml:"retry_max"`
	GiveUp        time.Duration `yaml:"give_up"`       // a message is failed after this
	WebhookAllow  Networks      `yaml:"webhook_allow"` // internal networks that webhooks may reach
}

// SMTP configures the mail server. With no Host, mail goes to the outbox.
type SMTP struct {
	Host     string        `yaml:"host"`
	Port     int           `yaml:"port"`
	User     string        `yaml:"user"`
	Password Secret        `yaml:"password"`
	From     string        `yaml:"from"`
	TLS      string        `yaml:"tls"` // starttls, implicit, opportunistic, none
	Timeout  time.Duration `yaml:"timeout"`
}

// Profile configures the per-route rollups.
type Profile struct {
	FlushInterval time.Duration `yaml:"flush_interval"`
	MaxRoutes     int           `yaml:"max_routes"` // routes per app; the rest is counted as one
	Retention     time.Duration `yaml:"retention"`
}

// Autoscaler configures the loop and the default policy.
type Autoscaler struct {
	Interval   time.Duration `yaml:"interval"`
	Policy     string        `yaml:"policy"` // one of paas.PolicyNames
	Min        int           `yaml:"min"`
	Max        int           `yaml:"max"`
	LoadWindow time.Duration `yaml:"load_window"`
	LoadUp     float64       `yaml:"load_up"`   // percent
	LoadDown   float64       `yaml:"load_down"` // percent
	TimeWindow time.Duration `yaml:"time_window"`
	TimeUp     time.Duration `yaml:"time_up"`
	Cooldown   time.Duration `yaml:"cooldown"`
}

// Reqsim configures the request simulator of the command line, and bounds the
// load tests of the console.
type Reqsim struct {
	Allow              string        `yaml:"allow"`               // addresses beside the platform's apps: hosts, or host:port, with spaces or commas between
	ConsoleRate        float64       `yaml:"console_rate"`        // requests per second of a load test
	ConsoleTime        time.Duration `yaml:"console_time"`        // its length
	ConsoleConnections int           `yaml:"console_connections"` // its requests at a time
}

// Docker configures the engine and its networks.
type Docker struct {
	Host        string `yaml:"host"`         // empty: DOCKER_HOST or the default socket
	NetworkPool string `yaml:"network_pool"` // tenants' networks are cut from it
	NetworkSize int    `yaml:"network_size"` // prefix length of one tenant's network
	Runtime     string `yaml:"runtime"`      // OCI runtime of apps; empty: the engine's default
	Runtimes    string `yaml:"runtimes"`     // OCI runtimes that an app may be given instead, with commas between
	Egress      string `yaml:"egress"`       // open: the internet but no private address; none. Of tenants without a policy of their own
	Connections int    `yaml:"connections"`  // that a replica may have open to the outside at a time; 0: no bound
	OutputRate  Bytes  `yaml:"output_rate"`  // that a replica may write to stdout and stderr a second, as the engine keeps it; one that writes more is slowed. 0: no bound
}

// Git bounds what is pushed to apps (role paas).
type Git struct {
	Branches string        `yaml:"branches"` // that deploy, with commas between
	Max      Bytes         `yaml:"max"`      // of one push, and of what is kept of an app's pushes
	Memory   Bytes         `yaml:"memory"`   // address space of each of git's processes
	Timeout  time.Duration `yaml:"timeout"`  // of one push, from when all of it has come until its deploy begins
	AtOnce   int           `yaml:"at_once"`  // pushes that git works on at a time, half of them of one tenant
}

// Deploying lists the branches that deploy.
func (g Git) Deploying() []string {
	return strings.FieldsFunc(g.Branches, func(r rune) bool { return r == ',' || r == ' ' })
}

// Build configures uploads and builds.
type Build struct {
	Base         string        `yaml:"base"`    // auto, bootstrap, or an image with Python 3
	Timeout      time.Duration `yaml:"timeout"` // of the dependency installation
	Memory       Bytes         `yaml:"memory"`
	CPU          float64       `yaml:"cpu"`            // cores
	Output       Bytes         `yaml:"output"`         // build log kept
	LayerMax     Bytes         `yaml:"layer_max"`      // size of a dependency layer
	CacheMax     Bytes         `yaml:"cache_max"`      // wheels that are kept of each tenant; 0: none
	SourceMax    Bytes         `yaml:"source_max"`     // unpacked source
	Entries      int           `yaml:"entries"`        // files in an upload
	Ratio        int           `yaml:"ratio"`          // unpacked : packed
	AtOnce       int           `yaml:"at_once"`        // builds running at a time
	Queue        int           `yaml:"queue"`          // builds that wait for their turn; more are refused
	TenantAtOnce int           `yaml:"tenant_at_once"` // of AtOnce, those of one tenant
	TenantQueue  int           `yaml:"tenant_queue"`   // of Queue, those of one tenant
	KeepSource   int           `yaml:"keep_source"`    // releases whose source is kept for rollback
}

// Cron bounds the jobs that apps run at set times.
type Cron struct {
	Timeout      time.Duration `yaml:"timeout"`        // longest run; a job may ask for less
	AtOnce       int           `yaml:"at_once"`        // runs at a time; others wait for their turn, tenant by tenant
	TenantAtOnce int           `yaml:"tenant_at_once"` // of AtOnce, those of one tenant
	Queue        int           `yaml:"queue"`          // runs that wait; more are left out and told
	TenantQueue  int           `yaml:"tenant_queue"`   // of Queue, those of one tenant
	Keep         int           `yaml:"keep"`           // runs of each job that are remembered
}

// App holds the defaults of an app's limits and probes.
type App struct {
	CPU            float64       `yaml:"cpu"` // cores
	Memory         Bytes         `yaml:"memory"`
	Disk           Bytes         `yaml:"disk"` // writable space of a replica
	Pids           int64         `yaml:"pids"`
	Nofile         int64         `yaml:"nofile"`
	Threads        int           `yaml:"threads"`         // gunicorn threads per worker
	HealthTimeout  time.Duration `yaml:"health_timeout"`  // from start to the first good probe
	ReleaseTimeout time.Duration `yaml:"release_timeout"` // of the command that is run before a release
	LiveInterval   time.Duration `yaml:"live_interval"`   // between two probes of a replica that serves; 0: none
	DrainTimeout   time.Duration `yaml:"drain_timeout"`   // requests in flight may take this long when a replica goes
	StopTimeout    time.Duration `yaml:"stop_timeout"`    // between SIGTERM and SIGKILL
	RestartMin     time.Duration `yaml:"restart_min"`     // first pause before a crashed replica is restarted
	RestartMax     time.Duration `yaml:"restart_max"`     // longest pause
	Standby        int           `yaml:"standby"`         // replicas, of all apps, that wait for the next release; 0: none
	StandbyFor     time.Duration `yaml:"standby_for"`     // after an app's last deploy
	VolumeMax      Bytes         `yaml:"volume_max"`      // what the volumes of an app may hold together
	LookInterval   time.Duration `yaml:"look_interval"`   // between two looks at how a fresh release does, of an app that goes back by itself
	SlowRequest    time.Duration `yaml:"slow_request"`    // a request that takes longer has its worker sampled for 10 s; 0: none
}

// Quota bounds what the apps of a tenant may ask for together, unless its
// operator has set other bounds for it; 0 is none.
type Quota struct {
	Apps     int     `yaml:"apps"`
	Replicas int     `yaml:"replicas"`
	CPU      float64 `yaml:"cpu"`    // cores, over the replicas
	Memory   Bytes   `yaml:"memory"` // over the replicas
	Disk     Bytes   `yaml:"disk"`   // writable space of the replicas, volumes and databases

	BuildMinutes float64 `yaml:"build_minutes"` // of installing dependencies, in any 24 hours
	LogBytes     Bytes   `yaml:"log_bytes"`     // that the apps log in a day (UTC); more is dropped and told
}

// Disk bounds how full the data folder's disk may get.
type Disk struct {
	Warn     Bytes         `yaml:"warn"`     // free space below which it is told
	Refuse   Bytes         `yaml:"refuse"`   // free space below which no deploy is taken
	Interval time.Duration `yaml:"interval"` // between two looks
}

// Default returns the built-in defaults.
func Default() Config {
	return Config{
		Data: "./data", LogLevel: "info", StopTimeout: 20 * time.Second, Domain: "localhost",
		Console: Console{Listen: ":5001", SessionAge: 14 * 24 * time.Hour, MaxUpload: 100 * MiB, SignInRate: 30,
			InviteAge: 7 * 24 * time.Hour, AuditAge: 400 * 24 * time.Hour, AuditRows: 200_000, TerminalTime: 8 * time.Hour},
		OIDC: OIDC{Name: "single sign-on", Role: "developer"},
		Dashboard: Dashboard{Listen: ":5005", FrameInterval: 100 * time.Millisecond, History: 15 * time.Minute,
			LogLines: 40, MaxClients: 6000},
		Router: Router{Listen: ":8080", RequestTimeout: 60 * time.Second, HoldTimeout: 20 * time.Second,
			MaxBody: 100 * MiB, AppTimeout: 10 * time.Minute, AppBody: 1 * GiB, InFlight: 64, QueueLimit: 1024, SlowStart: 5 * time.Second, EjectAfter: 5, EjectFor: 5 * time.Second, RecordBuffer: 50_000,
			TLS: TLS{Directory: "https://acme-v02.api.letsencrypt.org/directory"}},
		Domains:  Domains{Check: true, Interval: time.Minute},
		Database: Database{MaxConns: 8, SharedBuffers: 128 * MiB},
		Databases: Databases{SharedBuffers: 64 * MiB, MaxConns: 300, AppConns: 40, SessionMemory: 128 * MiB, StatementTimeout: time.Minute,
			Size: 1 * GiB, SizeMax: 10 * GiB, Interval: 10 * time.Second},
		Stream: Stream{Listen: "127.0.0.1:5006", MaxBytes: 8 * GiB, MaxAge: 72 * time.Hour, Sync: true,
			Duplicate: 10 * time.Minute, Replicas: 1},
		Logship: Logship{BatchRecords: 2000, BatchBytes: 1024 * KiB, BatchDelay: 20 * time.Millisecond,
			SampleInterval: time.Second, MaxLine: 64 * KiB, RateLimit: 20_000, RateBurst: 60_000,
			SpoolMax: 2 * GiB, JoinDelay: 20 * time.Millisecond},
		Persist: Persist{BatchRecords: 10_000, Retention: 7 * 24 * time.Hour, Ahead: 3},
		Archive: Archive{SealRecords: 100_000, SealAge: time.Minute, Retention: 90 * 24 * time.Hour},
		Alert: Alert{Interval: time.Second, GroupBy: "app", GroupWait: 2 * time.Second, GroupInterval: 5 * time.Second, PerHour: 30, RetryMin: 5 * time.Second, RetryMax: 5 * time.Minute,
			GiveUp: 24 * time.Hour},
		SMTP:    SMTP{Port: 587, From: "kurama@localhost", TLS: "starttls", Timeout: 15 * time.Second},
		Profile: Profile{FlushInterval: 5 * time.Second, MaxRoutes: 500, Retention: 30 * 24 * time.Hour},
		Autoscaler: Autoscaler{Interval: time.Second, Policy: "kurama", Min: 1, Max: 4,
			LoadWindow: 5 * time.Minute, LoadUp: 85, LoadDown: 50,
			TimeWindow: 10 * time.Minute, TimeUp: 200 * time.Millisecond, Cooldown: time.Minute},
		Reqsim: Reqsim{ConsoleRate: 200, ConsoleTime: 15 * time.Minute, ConsoleConnections: 100},
		Docker: Docker{NetworkPool: "10.213.0.0/16", NetworkSize: 24, Egress: "open", Connections: 1024, OutputRate: 2 * MiB},
		Build: Build{Base: "auto", Timeout: 10 * time.Minute, Memory: 1 * GiB, CPU: 1, Output: 1 * MiB,
			LayerMax: 2 * GiB, CacheMax: 512 * MiB, SourceMax: 512 * MiB, Entries: 20_000, Ratio: 200, AtOnce: 1, Queue: 200, TenantAtOnce: 1, TenantQueue: 20, KeepSource: 10},
		Git: Git{Branches: "main,master", Max: 200 * MiB, Memory: 1 * GiB, Timeout: 5 * time.Minute, AtOnce: 2},
		App: App{CPU: 1, Memory: 256 * MiB, Disk: 64 * MiB, Pids: 128, Nofile: 4096, Threads: 4,
			HealthTimeout: 60 * time.Second, ReleaseTimeout: 5 * time.Minute, LiveInterval: 10 * time.Second, LookInterval: 5 * time.Second, DrainTimeout: 30 * time.Second, StopTimeout: 10 * time.Second, Standby: 4, StandbyFor: 15 * time.Minute,
			RestartMin: time.Second, RestartMax: time.Minute, VolumeMax: 2 * GiB, SlowRequest: 2 * time.Second},
		Cron:  Cron{Timeout: time.Hour, AtOnce: 4, TenantAtOnce: 2, Queue: 400, TenantQueue: 40, Keep: 50},
		Quota: Quota{Apps: 50, Replicas: 100},
		Disk:  Disk{Warn: 5 * GiB, Refuse: 1 * GiB, Interval: time.Minute},
	}
}
