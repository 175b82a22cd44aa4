package logship

import (
	"context"
	"strings"
	"time"

	"kurama/logship/record"
	"kurama/logship/stdout"
)

// spillMark begins a line of output that is a record: one that a process had
// sent on its socket, and that nobody had acknowledged when it ended. It is the
// record separator of RFC 7464.
const spillMark = "\x1e"

// spills knows which of the spilled records are safe already.
type spills struct {
	agent  *Agent
	of     source
	from   *replica
	limit  bound
	loaded time.Time // what was taken before is known
	doubt  bool      // the stream could not be asked
}

// record returns the record in a line of output; nil with ok where it is safe
// already or over the app's rate. doubt says that it may be safe all the same.
// ok is false for a line that is none; the error is ctx's.
func (s *spills) record(ctx context.Context, e stdout.Entry) (r *record.Record, doubt, ok bool, err error) {
	line, marked := strings.CutPrefix(e.Msg, spillMark)
	r = &record.Record{}
	if !marked || e.Cut > 0 || record.Decode([]byte(line), r) != nil || r.ID.IsZero() {
		return nil, false, false, nil
	}
	if !s.loaded.After(e.At) {
		// Reading back costs the host: an app that spills on purpose waits for it.
		if err := s.from.resends.Wait(ctx); err != nil {
			return nil, false, true, err
		}
		now := time.Now()
		if s.doubt, err = s.agent.readBack(ctx, idTime(r.ID).Add(-time.Second)); err != nil {
			return nil, false, true, err
		}
		s.loaded = now
	}
	if s.agent.seen.has(r.ID) || !s.agent.allowed(s.of, s.from, s.limit, r, len(line)) {
		return nil, false, true, nil
	}
	return r, s.doubt, true, nil
}
