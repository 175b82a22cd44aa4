package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// oracleDecode reads a line with encoding/json alone: the slow truth that
// Decode is held against.
func oracleDecode(line []byte) (Record, error) {
	var r Record
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil {
		return r, err
	}
	if members == nil {
		return r, errors.New("null is no record")
	}
	var bad []error
	into := func(key string, v any) {
		if raw, ok := members[key]; ok {
			bad = append(bad, json.Unmarshal(raw, v))
		}
	}
	text := func(key string) (s string) { into(key, &s); return s }
	number := func(key string) Number {
		var v *float64
		if into(key, &v); v == nil {
			return Number{}
		}
		return Num(*v)
	}
	for key, to := range map[string]*string{"tenant": &r.Tenant, "app": &r.App, "replica": &r.Replica,
		"method": &r.Method, "url": &r.URL, "route": &r.Route, "msg": &r.Msg, "req": &r.Req, "exc": &r.Exc} {
		*to = text(key)
	}
	for key, to := range map[string]*Number{"cpu": &r.CPU, "disk": &r.Disk, "swap": &r.Swap, "mem": &r.Mem,
		"dur": &r.Dur, "queue": &r.Queue, "cpu_ms": &r.CPUMs, "db_ms": &r.DBMs, "bytes": &r.Bytes} {
		*to = number(key)
	}
	into("release", &r.Release)
	into("status", &r.Status)
	if raw, ok := members["ts"]; ok && string(raw) != "null" {
		t, err := time.Parse(time.RFC3339Nano, text("ts"))
		bad = append(bad, err)
		r.Time = t.Truncate(time.Microsecond).UTC()
	}
	if raw, ok := members["id"]; ok && string(raw) != "null" {
		var err error
		r.ID, err = ParseID(text("id"))
		bad = append(bad, err)
	}
	r.Kind, _ = ParseKind(text("kind"))
	var n int
	if raw := members["level"]; len(raw) > 0 && strings.ContainsRune("-0123456789", rune(raw[0])) {
		into("level", &n)
		r.Level = Level(min(max(n, 0), 50))
	} else {
		r.Level, _ = ParseLevel(text("level"))
	}
	if raw, ok := members["extra"]; ok && string(raw) != "null" {
		if raw[0] != '{' {
			bad = append(bad, fmt.Errorf("extra is %s", raw))
		}
		r.Extra = raw
	}
	return r, errors.Join(bad...)
}

// oracleLine is the canonical line by encoding/json, for records whose
// strings are valid UTF-8.
func oracleLine(r *Record) string {
	var b strings.Builder
	member := func(key string, v any) {
		sep := ","
		if b.Len() == 0 {
			sep = "{"
		}
		var value strings.Builder
		enc := json.NewEncoder(&value)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			panic(err)
		}
		text := strings.TrimSuffix(value.String(), "\n")
		text = strings.NewReplacer(`\u2028`, "\u2028", `\u2029`, "\u2029", `\b`, `\u0008`, `\f`, `\u000c`).Replace(text)
		b.WriteString(sep + `"` + key + `":` + text)
	}
	orNull := func(absent bool, v any) any {
		if absent {
			return nil
		}
		return v
	}
	number := func(n Number) any { return orNull(!n.Known, n.Value) }
	optional := func(key string, absent bool, v any) {
		if !absent {
			member(key, v)
		}
	}
	member("ts", orNull(r.Time.IsZero(), r.Time.UTC().Format("2006-01-02T15:04:05.000000Z")))
	member("id", orNull(r.ID.IsZero(), r.ID.String()))
	member("kind", orNull(r.Kind.String() == "", r.Kind.String()))
	member("level", orNull(r.Level == 0, r.Level.String()))
	member("tenant", r.Tenant)
	member("app", r.App)
	member("release", orNull(r.Release == 0, r.Release))
	member("replica", r.Replica)
	optional("method", r.Method == "", r.Method)
	member("url", orNull(r.URL == "", r.URL))
	optional("route", r.Route == "", r.Route)
	member("status", orNull(r.Status == 0, r.Status))
	member("msg", r.Msg)
	member("cpu", number(r.CPU))
	member("disk", number(r.Disk))
	member("swap", number(r.Swap))
	member("mem", number(r.Mem))
	optional("dur", !r.Dur.Known, number(r.Dur))
	optional("queue", !r.Queue.Known, number(r.Queue))
	optional("cpu_ms", !r.CPUMs.Known, number(r.CPUMs))
	optional("db_ms", !r.DBMs.Known, number(r.DBMs))
	optional("bytes", !r.Bytes.Known, number(r.Bytes))
	optional("req", r.Req == "", r.Req)
	optional("exc", r.Exc == "", r.Exc)
	optional("extra", len(r.Extra) == 0, json.RawMessage(r.Extra))
	return b.String() + "}\n"
}
