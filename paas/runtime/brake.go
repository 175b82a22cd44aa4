package runtime

import (
	"math"
	"time"
)

// brake leaves a replica less of its CPU while it does more of something than
// the host can do for it, and gives it back once it does less.
type brake struct {
	rate  float64 // that it may do each second
	burst float64 // and at once
	harsh float64 // by which its part shrinks at the most at a time, below 1
	least float64 // part that it always keeps
	mend  float64 // by which its part grows in a tenth of a second, above 1

	room float64 // that is left of burst; below 0: it did more
	part float64 // of its CPU that it is left, to 1
}

// newFlood returns the brake for what a replica writes to its output, bytes.
func newFlood(rate float64) brake {
	return brake{rate: rate, burst: 4 * rate, harsh: 0.1, least: 0.01, mend: 1.25, room: 4 * rate, part: 1}
}

// look takes what was done in the span since the last look.
func (b *brake) look(did float64, span time.Duration) {
	if b.rate == 0 {
		return
	}
	may := b.rate * span.Seconds()
	b.room = min(b.burst, b.room+may-did) // a long span in which it did less than it may is no debt
	switch {
	case b.room < 0 && did > may:
		b.part = max(b.least, b.part*min(0.8, max(b.harsh, may/did)))
		b.room = max(b.room, -b.rate) // what it is slowed for is forgotten after a second
	case b.room >= 0 && did < may/2:
		b.part = min(1, b.part*math.Pow(b.mend, float64(span)/float64(100*time.Millisecond)))
	}
}
