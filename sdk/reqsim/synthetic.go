package reqsim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kurama/logship/record"
)

// maxMessage bounds the message of a synthetic record, bytes.
const maxMessage = 16 << 10

// syntheticErrors is the share of requests that fail where a form does not say.
const syntheticErrors = 0.01

// RecordForm says what synthetic records hold.
type RecordForm struct {
	Kinds   []record.Kind     // in turn: requests, logs, events; none: a request and a log line of it
	Message int               // bytes that a message has at least; at most 16 KiB
	Errors  *float64          // share of requests with status 500, and of log lines of the level ERROR, 0 to 1; nil: 0.01 of the requests
	Fields  map[string]string // of log lines and events, as `kurama.log` would add them

	extra []byte
}

// complete checks the form and fills in what was left out. Its errors are for
// the person who gave it.
func (f *RecordForm) complete() error {
	if len(f.Kinds) == 0 {
		f.Kinds = []record.Kind{record.KindRequest, record.KindLog}
	}
	for _, kind := range f.Kinds {
		if !slices.Contains([]record.Kind{record.KindRequest, record.KindLog, record.KindEvent}, kind) {
			return fmt.Errorf("there are no synthetic records of the kind %s: use request, log and event", kind)
		}
	}
	if f.Message < 0 || f.Message > maxMessage {
		return fmt.Errorf("messages of %d bytes: give 0 to %d", f.Message, maxMessage)
	}
	if f.Errors != nil && !(*f.Errors >= 0 && *f.Errors <= 1) {
		return fmt.Errorf("the share of errors is %g: give 0 to 1", *f.Errors)
	}
	if len(f.Fields) > 0 {
		f.extra, _ = json.Marshal(f.Fields) // texts: it cannot fail
	}
	return nil
}

// make makes the record number n, with durations between 1 and 200 ms.
func (f *RecordForm) make(n int, now time.Time, tenant, app string) record.Record {
	visit := n / len(f.Kinds)
	route := []string{"/", "/item/<id>", "/search", "/cart"}[visit%4]
	r := record.Record{Time: now, ID: record.NewID(now), Kind: f.Kinds[n%len(f.Kinds)], Level: record.LevelInfo, Tenant: tenant, App: app, Release: 1,
		Replica: app + "-1-reqsim", Method: "GET", URL: "/synthetic/" + strconv.Itoa(visit), Route: route, Msg: "synthetic record " + strconv.Itoa(n),
		CPU: record.Num(float64(n % 100)), Disk: record.Num(1), Swap: record.Num(0), Mem: record.Num(40), Req: "reqsim-" + strconv.Itoa(visit)}
	bad := f.fails(visit, r.Kind)
	if bad {
		r.Level = record.LevelError
	}
	switch r.Kind {
	case record.KindRequest:
		ms := 1 + float64(visit*7919%1990)/10
		r.Status, r.Dur, r.Queue, r.CPUMs = 200, record.Num(ms), record.Num(0), record.Num(ms/4)
		if bad {
			r.Status = 500
		}
		r.Msg = fmt.Sprintf("GET %s %d %.1f ms", r.URL, r.Status, ms)
	case record.KindLog:
		r.Extra = f.extra
	default:
		r.Extra = f.event()
	}
	if room := f.Message - len(r.Msg) - 1; room > 0 {
		r.Msg += " " + strings.Repeat("x", room)
	}
	return r
}

// fails reports whether visit number n goes wrong: evenly spread, as many as the
// form says.
func (f *RecordForm) fails(n int, kind record.Kind) bool {
	share := syntheticErrors
	if f.Errors != nil {
		share = *f.Errors
	} else if kind != record.KindRequest {
		return false
	}
	return int(float64(n+1)*share) > int(float64(n)*share)
}

// event returns the fields of an event, with its name.
func (f *RecordForm) event() []byte {
	fields := map[string]string{"event": "app.synthetic"}
	for name, value := range f.Fields {
		if name != "event" {
			fields[name] = value
		}
	}
	text, _ := json.Marshal(fields) // texts: it cannot fail
	return text
}
