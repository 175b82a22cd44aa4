package persist

import (
	"log/slog"
	"math"
	"time"

	"kurama/logship/pipeline"
	"kurama/logship/record"
	"kurama/logship/stream"
)

// run is what one transaction stores: the records of neighbouring batches as
// tuples of Postgres's binary COPY. Its buffers are used again.
type run struct {
	prev, last uint64             // the position before and after it
	tuples     []byte             // one after the other as they arrived, without COPY's header and end
	ends       []int              // where each tuple ends
	order      []int              // numbers of the tuples in the order in which they are stored
	days       map[int64]struct{} // days since the epoch that its records are of
	skipped    int                // records that could not be read

	apps    apps   // whose each tuple is
	scratch []byte // memory of a batch
}

const secondsOfDay = 24 * 60 * 60

// keepTuples bounds the memory that an idle run holds on to after a burst.
const keepTuples = 16 << 20

// encode replaces the content of r by the records of batches that gate lets
// pass. A record that cannot be read is counted, told once per batch and passed
// over: it must never hold up the ones behind it.
func (r *run) encode(prev uint64, batches []stream.Batch, gate *pipeline.Gate, log *slog.Logger) {
	if cap(r.tuples) > keepTuples {
		r.tuples = nil
	}
	r.prev, r.last = prev, batches[len(batches)-1].Seq
	r.tuples, r.ends, r.skipped = r.tuples[:0], r.ends[:0], 0
	r.apps.reset()
	if r.days == nil {
		r.days = map[int64]struct{}{}
	}
	clear(r.days)
	today := int64(math.MinInt64)
	for _, b := range batches {
		before, left := len(r.ends), 0
		err := record.Each(b.Lines(&r.scratch), func(rec *record.Record) error {
			if !gate.Takes(rec) {
				left++
				return nil
			}
			if rec.Time.IsZero() {
				rec.Time = b.At
			}
			if day := dayOf(rec.Time); day != today {
				today = day
				r.days[day] = struct{}{}
			}
			r.tuples = appendTuple(r.tuples, int64(b.Seq), rec)
			r.ends = append(r.ends, len(r.tuples))
			r.apps.add(rec.Tenant, rec.App)
			return nil
		})
		if err != nil {
			lost := max(1, b.Records-left-(len(r.ends)-before))
			r.skipped += lost
			log.Warn("records of a batch cannot be read and are passed over", "seq", b.Seq, "batch", b.ID, "records", lost, "first", err)
		}
	}
	r.order = r.apps.group(r.order)
}

// tuple returns the bytes of the tuple that is stored as number i.
func (r *run) tuple(i int) []byte {
	n, from := r.order[i], 0
	if n > 0 {
		from = r.ends[n-1]
	}
	return r.tuples[from:r.ends[n]]
}

// dayOf returns the UTC day of t in days since the epoch.
func dayOf(t time.Time) int64 {
	s := t.Unix()
	if s < 0 {
		s -= secondsOfDay - 1
	}
	return s / secondsOfDay
}
