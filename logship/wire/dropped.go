package wire

import (
	"fmt"
	"strings"
	"time"

	"kurama/logship/record"
)

// tell adds one event for each owner of dropped records and reports whether
// all were told. It leaves those that find no room for later.
func (b *buffer) tell() bool {
	for o, count := range b.lost {
		if !b.room() {
			return false
		}
		now := time.Now()
		b.append(&record.Record{Time: now, ID: record.NewID(now), Kind: record.KindEvent, Level: record.LevelWarning,
			Tenant: o.tenant, App: o.app,
			Msg:   fmt.Sprintf("%d records were dropped: the log agent was away or too slow, and the buffer for it was full.", count),
			Extra: fmt.Appendf(nil, `{"event":"dropped","count":%d}`, count)})
		delete(b.lost, o)
	}
	return true
}

func cloneOwner(o owner) owner {
	return owner{strings.Clone(o.tenant), strings.Clone(o.app)}
}
