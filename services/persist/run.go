package persist

import (
	"log/slog"
	"math"
	"time"

	"kurama/logship/record"
	"kurama/logship/stream"
)

// run is what one transaction stores: the records of neighbouring batches as
// tuples of Postgres's binary COPY. Its buffers are used again.
type run struct {
	prev, last uint64             // the position before and after it
	tuples     []byte             // one after the other, without COPY's header and end
	ends       []int              // where each tuple ends
	days       map[int64]struct{} // days since the epoch that its records are of
	skipped    int                // records that could not be read
}

const secondsOfDay = 24 * 60 * 60

// keepTuples bounds the memory that an idle run holds on to after a burst.
const keepTuples = 16 << 20

// encode replaces the content of r by the records of batches. A record that
// cannot be read is counted, told once per batch and passed over: it must
// never hold up the ones behind it.
func (r *run) encode(prev uint64, batches []stream.Batch, log *slog.Logger) {
	if cap(r.tuples) > keepTuples {
		r.tuples = nil
	}
	r.prev, r.last = prev, batches[len(batches)-1].Seq
	r.tuples, r.ends, r.skipped = r.tuples[:0], r.ends[:0], 0
	if r.days == nil {
		r.days = map[int64]struct{}{}
	}
	clear(r.days)
	today := int64(math.MinInt64)
	for _, b := range batches {
		before := len(r.ends)
		err := record.Each(b.Data, func(rec *record.Record) error {
			if rec.Time.IsZero() {
				rec.Time = b.At
			}
			if day := dayOf(rec.Time); day != today {
				today = day
				r.days[day] = struct{}{}
			}
			r.tuples = appendTuple(r.tuples, int64(b.Seq), rec)
			r.ends = append(r.ends, len(r.tuples))
			return nil
		})
		if err != nil {
			lost := max(1, b.Records-(len(r.ends)-before))
			r.skipped += lost
			log.Warn("records of a batch cannot be read and are passed over", "seq", b.Seq, "batch", b.ID, "records", lost, "first", err)
		}
	}
}

// tuple returns the bytes of the tuples from i up to but without j.
func (r *run) tuple(i, j int) []byte {
	from := 0
	if i > 0 {
		from = r.ends[i-1]
	}
	return r.tuples[from:r.ends[j-1]]
}

// dayOf returns the UTC day of t in days since the epoch.
func dayOf(t time.Time) int64 {
	s := t.Unix()
	if s < 0 {
		s -= secondsOfDay - 1
	}
	return s / secondsOfDay
}
