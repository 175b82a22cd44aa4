package dashboard

import (
	"encoding/binary"
	"math"
	"runtime"
	"sync"
	"syscall"
)

// handAtOnce is how many clients go to a writer at a time.
const handAtOnce = 64

// fanout writes frames to clients. To wake a goroutine of each client costs
// more than the write, so a few writers serve one client after the other. They
// never wait: what a connection does not take at once is left to the client's
// own goroutine.
type fanout struct {
	queue   chan []delivery
	writing sync.WaitGroup
}

// delivery is a frame on its way to a client.
type delivery struct {
	to    *client
	frame []byte
}

// newFanout makes one for so many clients. A client has one delivery at most,
// so the queue has room for all of them.
func newFanout(clients int) *fanout { return &fanout{queue: make(chan []delivery, clients)} }

// start starts the writers: half of the cores, since whoever reads on this host
// needs some too.
func (f *fanout) start() {
	for range max(1, runtime.GOMAXPROCS(0)/2) {
		f.writing.Go(func() {
			w := writer{}
			w.attempt = w.try
			for list := range f.queue {
				for _, d := range list {
					d.to.offer(d.frame, &w)
				}
			}
		})
	}
}

// stop ends the writers once the queue is empty. Nothing may be queued after.
func (f *fanout) stop() {
	close(f.queue)
	f.writing.Wait()
}

// writer makes single attempts to write; it is one goroutine's.
type writer struct {
	frame   []byte
	n       int
	attempt func(fd uintptr) // try, bound once
}

func (w *writer) try(fd uintptr) {
	n, err := syscall.Write(int(fd), w.frame) // Go's sockets do not block
	if err == nil {
		w.n = n
	}
}

// write writes what the connection takes at once of frame and returns the rest.
// Errors come back when that is written. Control and not Write: the latter
// waits while somebody else's write does.
func (w *writer) write(to syscall.RawConn, frame []byte) []byte {
	w.frame, w.n = frame, 0
	_ = to.Control(w.attempt)
	w.frame = nil
	return frame[w.n:]
}

// textFrame makes the frame of a websocket's text message, as a server sends it
// (RFC 6455, section 5.2).
func textFrame(text []byte) []byte {
	const wholeText = 0x81
	frame := make([]byte, 0, len(text)+10)
	switch n := len(text); {
	case n < 126:
		frame = append(frame, wholeText, byte(n))
	case n <= math.MaxUint16:
		frame = binary.BigEndian.AppendUint16(append(frame, wholeText, 126), uint16(n))
	default:
		frame = binary.BigEndian.AppendUint64(append(frame, wholeText, 127), uint64(n))
	}
	return append(frame, text...)
}
