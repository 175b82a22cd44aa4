package wire

import (
	"sync"

	"kurama/logship/record"
)

const (
	// chunkBytes is the room of one piece of the buffer. A piece never grows, so that its bytes can be written while lines are added behind them.
	chunkBytes = 64 << 10
	// bytesPerLine times the number of lines bounds the bytes of a buffer.
	bytesPerLine = 1 << 10
	// minBytes is the least such bound.
	minBytes = 8 << 20
)

// buffer keeps the lines that the agent has not acknowledged. Lines have
// numbers from 0 on, in the order in which they came.
type buffer struct {
	mu       sync.Mutex
	maxLines int
	maxBytes int

	chunks []*chunk // oldest first
	bytes  int      // in chunks
	acked  int      // lines that are gone
	total  int      // lines that ever came

	lost    map[owner]int // records dropped since it was last told
	changed chan struct{} // closed and made anew on each change
}

// owner is whom a dropped record belonged to.
type owner struct{ tenant, app string }

// maxOwners bounds the owners counted apart; beyond it drops are counted together.
const maxOwners = 256

// chunk is a run of lines.
type chunk struct {
	first int // number of its first line
	data  []byte
	ends  []int // end of each line in data
}

func newBuffer(lines int) *buffer {
	return &buffer{maxLines: lines, maxBytes: max(lines*bytesPerLine, minBytes), lost: map[owner]int{},
		changed: make(chan struct{})}
}

// add appends the line of r, or counts it as dropped where there is no room.
func (b *buffer) add(r *record.Record) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.tell() || !b.room() {
		o := owner{r.Tenant, r.App}
		if _, known := b.lost[o]; !known && len(b.lost) >= maxOwners {
			o = owner{}
		}
		b.lost[cloneOwner(o)]++
		return false
	}
	b.append(r)
	b.announce()
	return true
}

func (b *buffer) room() bool { return b.total-b.acked < b.maxLines && b.bytes < b.maxBytes }

func (b *buffer) append(r *record.Record) {
	var last *chunk
	if n := len(b.chunks); n > 0 {
		last = b.chunks[n-1]
	}
	if last == nil || len(last.data)+estimate(r) > cap(last.data) {
		last = &chunk{first: b.total, data: make([]byte, 0, max(chunkBytes, estimate(r)))}
		b.chunks = append(b.chunks, last)
	}
	before := len(last.data)
	last.data = record.Append(last.data, r)
	last.ends = append(last.ends, len(last.data))
	b.bytes += len(last.data) - before
	b.total++
}

// estimate bounds the length of r's line: an escape takes up to six bytes.
func estimate(r *record.Record) int {
	texts := len(r.Tenant) + len(r.App) + len(r.Replica) + len(r.Method) + len(r.URL) + len(r.Route) + len(r.Msg) + len(r.Req) + len(r.Exc)
	return 768 + 6*texts + len(r.Extra)
}

// ack forgets the lines below number.
func (b *buffer) ack(number int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if number <= b.acked || number > b.total {
		return
	}
	b.acked = number
	for len(b.chunks) > 0 && b.chunks[0].first+len(b.chunks[0].ends) <= number {
		b.bytes -= len(b.chunks[0].data)
		b.chunks[0] = nil
		b.chunks = b.chunks[1:]
	}
	b.tell()
	b.announce()
}

// from returns lines from number on, up to the end of a chunk, and the number
// behind them. The bytes stay valid and unchanged.
func (b *buffer) from(number int) (lines []byte, next int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.chunks {
		end := c.first + len(c.ends)
		if number >= end {
			continue
		}
		start := 0
		if number > c.first {
			start = c.ends[number-c.first-1]
		}
		return c.data[start:len(c.data):len(c.data)], end
	}
	return nil, number
}

// span returns the numbers of the first line kept and of the next to come.
func (b *buffer) span() (acked, total int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.acked, b.total
}

// state returns whether all is acknowledged and told, and a channel that is
// closed on the next change.
func (b *buffer) state() (empty bool, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.acked == b.total && len(b.lost) == 0, b.changed
}

func (b *buffer) announce() {
	close(b.changed)
	b.changed = make(chan struct{})
}
