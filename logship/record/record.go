// Package record is the ground of Kurama: the log record, its NDJSON wire form
// and the batch that carries records through the stream. It imports the
// standard library alone.
package record

import "time"

// Kind says what a record describes.
type Kind uint8

// The kinds of record. The zero Kind is unknown and never leaves the agent.
const (
	KindUnknown Kind = iota
	KindRequest      // one per HTTP request, made by the router
	KindLog          // one per log line of an app
	KindSample       // resource figures of a replica, of the host or of an app's router queue
	KindEvent        // what the platform did: deployed, scaled, restarted, killed for memory
	KindProfile      // stacks of the sampling profiler
)

// Level is a log level with the numbers of Python's logging module. Zero is
// "no level".
type Level uint8

// The levels of a record.
const (
	LevelNone     Level = 0
	LevelDebug    Level = 10
	LevelInfo     Level = 20
	LevelWarning  Level = 30
	LevelError    Level = 40
	LevelCritical Level = 50
)

// Number is a figure that may be missing: its zero value is "not known",
// written as null, and never mistaken for 0.
type Number struct {
	Value float64
	Known bool
}

// Num returns the known figure v.
func Num(v float64) Number { return Number{Value: v, Known: true} }

// ID is a UUIDv7 in binary form (RFC 9562); it sorts by the time it was made.
type ID [16]byte

// Record is one log record. The ten core fields are on every record of kind
// request and log. Decoded strings may share the memory of the buffer they
// were decoded from, which therefore must not be changed afterwards.
type Record struct {
	Time  time.Time // ts: microseconds, UTC
	ID    ID        // id
	Kind  Kind      // kind
	Level Level     // level

	Tenant  string // tenant; empty on host samples
	App     string // app; empty on host samples
	Release int    // release; 0 where none applies
	Replica string // replica; "router" on records about an app's queue, the host's name on host samples

	Method string // method
	URL    string // url: path and query as received
	Route  string // route: the Flask rule, /user/<id>
	Status int    // status: 0 is null, no response exists (yet)
	Msg    string // msg

	CPU  Number // cpu: percent of the replica's CPU limit
	Disk Number // disk: percent of the app's disk quota
	Swap Number // swap: percent of the replica's swap limit; 0 where it has none
	Mem  Number // mem: percent of the replica's memory limit

	Dur   Number // dur: milliseconds, as the client saw it
	Queue Number // queue: milliseconds waited before the app took the request
	CPUMs Number // cpu_ms: CPU milliseconds that the request used
	DBMs  Number // db_ms: milliseconds that the request spent in calls of database drivers; unknown where it made none
	Bytes Number // bytes: of the answer's body

	Req   string // req: request id
	Exc   string // exc: traceback
	Extra []byte // extra: a JSON object of the app's own; nil where there is none
}
