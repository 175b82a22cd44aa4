package logship

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"
	"time"
	"unicode/utf8"

	"kurama/logship/record"
	"kurama/logship/stdout"
)

const (
	// maxAhead and maxBehind bound the time that an app may claim; beyond them it is the agent's.
	maxAhead  = time.Minute
	maxBehind = 24 * time.Hour
	// appPrefix is put before an app's event that bears a name of the platform's own.
	appPrefix = "app."
)

// platformEvents are the names that only the platform may use.
var platformEvents = map[string]bool{"deployed": true, "deploy_failed": true, "rolled_back": true, "scaled": true, "restarted": true, "crashed": true,
	"oom_killed": true, "stopped": true, "slowed": true, "freed": true, "cron_failed": true, "cron_missed": true, "alert_firing": true, "alert_resolved": true, "dropped": true}

// textRecord makes a log record of a line that is no record itself.
func textRecord(r *record.Record, line []byte) {
	*r = record.Record{Kind: record.KindLog, Msg: string(line)}
	if !utf8.Valid(line) {
		r.Msg = strings.ToValidUTF8(r.Msg, "\ufffd")
	}
	r.Level = stdout.Level(r.Msg)
}

// complete fills in what every record has.
func complete(r *record.Record, now time.Time) {
	if r.Time.IsZero() {
		r.Time = now
	}
	if r.ID.IsZero() {
		r.ID = record.NewID(now)
	}
	if r.Kind == record.KindUnknown {
		r.Kind = record.KindLog
	}
	if r.Level == record.LevelNone && r.Kind != record.KindSample {
		r.Level = record.LevelInfo
	}
}

// stamp writes the replica's identity and figures over whatever r claims, and
// keeps it to what an app may say.
func (p *replica) stamp(r *record.Record, now time.Time) {
	r.Tenant, r.App, r.Release, r.Replica = p.who.Tenant, p.who.App, p.who.Release, p.who.Replica
	p.fill(r)
	if r.Kind != record.KindEvent && r.Kind != record.KindProfile {
		r.Kind = record.KindLog
	}
	if r.Kind == record.KindEvent && len(r.Extra) > 0 {
		r.Extra = appEvent(r.Extra)
	}
	if ahead := r.Time.Sub(now); ahead > maxAhead || ahead < -maxBehind {
		r.Time = now
	}
}

// fill writes the replica's last figures into r.
func (p *replica) fill(r *record.Record) {
	f := p.figures.Load()
	if f == nil {
		r.CPU, r.Disk, r.Swap, r.Mem = record.Number{}, record.Number{}, record.Number{}, record.Number{}
		return
	}
	r.CPU, r.Disk, r.Swap, r.Mem = f.cpu, f.disk, f.swap, f.mem
}

// appEvent renames an app's event that bears a platform's name. Readers may
// take the key in any case, so it is looked for in any. That its client dropped
// records is the one thing of the platform's that comes this way: it keeps its
// name and nothing but its count.
func appEvent(extra []byte) []byte {
	if n := toldDropped(extra); n > 0 {
		return fmt.Appendf(nil, `{"event":"dropped","count":%d}`, n)
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(extra, &members) != nil {
		return nil
	}
	for key, raw := range members {
		var name string
		if !strings.EqualFold(key, "event") || json.Unmarshal(raw, &name) != nil {
			continue
		}
		if platformEvents[strings.ToLower(strings.TrimSpace(name))] {
			members[key], _ = json.Marshal(appPrefix + name) // a text always marshals
		}
	}
	whole, err := json.Marshal(members)
	if err != nil {
		return nil
	}
	return whole
}

// outputID makes the id of an entry out of where and when it was written, so
// that reading it again gives the same id: a UUIDv7 whose random bits are a
// hash.
func outputID(container string, e stdout.Entry) record.ID {
	hash := fnv.New64a()
	var words [17]byte
	binary.BigEndian.PutUint64(words[0:], uint64(e.At.UnixNano()))
	binary.BigEndian.PutUint64(words[8:], uint64(e.Nth))
	words[16] = byte(index(e.Stderr))
	hash.Write([]byte(container))
	hash.Write(words[:])
	id := record.NewID(e.At)
	binary.BigEndian.PutUint64(id[8:], hash.Sum64()&(1<<62-1)|1<<63)
	return id
}
