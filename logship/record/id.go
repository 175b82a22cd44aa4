package record

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"time"
)

// NewID returns a new UUIDv7 for the time now: 48 bits of milliseconds, 12
// bits of the millisecond's fraction, 62 random bits. It is safe for
// concurrent use.
func NewID(now time.Time) ID {
	var id ID
	ms := uint64(now.UnixMilli())
	fraction := uint64(now.Nanosecond()%1_000_000) << 12 / 1_000_000
	binary.BigEndian.PutUint64(id[:8], ms<<16|7<<12|fraction)
	binary.BigEndian.PutUint64(id[8:], rand.Uint64()&(1<<62-1)|1<<63)
	return id
}

// ParseID reads a UUID in its text form of 36 characters; upper and lower
// case are taken.
func ParseID(text string) (ID, error) {
	var id ID
	if !parseID(text, &id) {
		return ID{}, fmt.Errorf("%q is not a UUID: it has the form 0192f0c5-2a6b-7c3d-8e4f-5a6b7c8d9e0f", text)
	}
	return id, nil
}

// String returns the text form in lower case, 36 characters.
func (id ID) String() string { return string(id.appendTo(make([]byte, 0, 36))) }

// IsZero reports whether id is the zero ID, which stands for "none yet".
func (id ID) IsZero() bool { return id == ID{} }

func (id ID) appendTo(dst []byte) []byte {
	var text [36]byte
	hex.Encode(text[0:8], id[0:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:36], id[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return append(dst, text[:]...)
}

// idPlace holds where each byte of an ID begins in its text form.
var idPlace = [16]uint8{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34}

// hexValue holds the value of a hex digit, 0x80 for any other byte.
var hexValue = func() (t [256]uint8) {
	for i := range t {
		t[i] = 0x80
	}
	for i := range 10 {
		t['0'+i] = uint8(i)
	}
	for i := range 6 {
		t['a'+i], t['A'+i] = uint8(10+i), uint8(10+i)
	}
	return t
}()

func parseID[T string | []byte](text T, id *ID) bool {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return false
	}
	var bad uint8
	for i, at := range idPlace {
		high, low := hexValue[text[at]], hexValue[text[at+1]]
		bad |= high | low
		id[i] = high<<4 | low&0x0f
	}
	return bad&0x80 == 0
}
