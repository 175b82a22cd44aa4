package stream

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats.go"
)

const (
	// packingHeader names how the lines of a batch are packed; without it they are as they are.
	packingHeader = "Kurama-Packing"
	packingS2     = "s2"
	// packFrom is the size from which a batch is packed, in bytes: below, the cost of a message is not in its bytes.
	packFrom = 2 << 10
	// maxUnpacked bounds the memory that the header of a packed batch can claim.
	maxUnpacked = 64 << 20
)

// pack makes the message's data of a batch. Lines pack to about a fifth, and
// each byte less is one less to hash, to write, to fsync, and to hand to every
// sink: the time that S2 takes is saved several times. The caller calls done
// once the message is sent.
func pack(msg *nats.Msg, batch []byte) (done func()) {
	if len(batch) < packFrom {
		msg.Data = batch
		return func() {}
	}
	buffer := packBuffers.Get().(*[]byte)
	*buffer = s2.Encode((*buffer)[:cap(*buffer)], batch)
	msg.Data = *buffer
	msg.Header.Set(packingHeader, packingS2)
	return func() { packBuffers.Put(buffer) }
}

var packBuffers = sync.Pool{New: func() any { return new([]byte) }}

// unpack returns the lines of data, in buf's memory where they were packed and
// it is large enough.
func unpack(packing string, data, buf []byte) ([]byte, error) {
	switch packing {
	case "":
		return data, nil
	case packingS2:
		n, err := s2.DecodedLen(data)
		if err != nil || n > maxUnpacked {
			return nil, fmt.Errorf("the batch claims %d bytes: %w", n, err)
		}
		return s2.Decode(buf[:cap(buf)], data)
	default:
		return nil, fmt.Errorf("the batch is packed by %q, which this version does not know", packing)
	}
}
