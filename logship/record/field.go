package record

import "encoding/binary"

// field is one of a record's keys, in canonical order.
type field int

const (
	fieldTS field = iota
	fieldID
	fieldKind
	fieldLevel
	fieldTenant
	fieldApp
	fieldRelease
	fieldReplica
	fieldMethod
	fieldURL
	fieldRoute
	fieldStatus
	fieldMsg
	fieldCPU
	fieldDisk
	fieldSwap
	fieldMem
	fieldDur
	fieldQueue
	fieldCPUMs
	fieldReq
	fieldExc
	fieldExtra
	fieldUnknown // any other key
)

var fieldNames = [...]string{"ts", "id", "kind", "level", "tenant", "app", "release", "replica", "method", "url", "route",
	"status", "msg", "cpu", "disk", "swap", "mem", "dur", "queue", "cpu_ms", "req", "exc", "extra"}

var fields = func() map[string]field {
	m := make(map[string]field, len(fieldNames))
	for f, name := range fieldNames {
		m[name] = field(f)
	}
	return m
}()

func fieldOf(key string) field {
	if f, ok := fields[key]; ok {
		return f
	}
	return fieldUnknown
}

// keyHead is a key with its quotes and colon, as far as eight bytes reach:
// no two keys begin alike.
type keyHead struct {
	word, mask uint64
	rest       string // behind the eight bytes
	size       int
}

var keyHeads = func() (heads [len(fieldNames)]keyHead) {
	for f, name := range fieldNames {
		text := `"` + name + `":`
		head := [8]byte{}
		n := copy(head[:], text)
		heads[f] = keyHead{word: binary.LittleEndian.Uint64(head[:]), mask: ^uint64(0) >> (64 - 8*n), rest: text[n:], size: len(text)}
	}
	return heads
}()

// longestGap is how many keys in a row a canonical line may leave out.
const longestGap = 6

// canonicalKey reads the key that comes next in the canonical order, where
// next is the first that may, and its colon. It reads nothing and returns
// fieldUnknown where the key is another one, or has white space about it.
func (s *scanner) canonicalKey(next int) field {
	if len(s.b)-s.i < 8 {
		return fieldUnknown
	}
	word := binary.LittleEndian.Uint64(s.b[s.i:])
	for f := next; f < min(next+longestGap+1, len(keyHeads)); f++ {
		h := &keyHeads[f]
		if (word^h.word)&h.mask != 0 {
			continue
		}
		if len(s.b)-s.i < h.size || string(s.b[s.i+h.size-len(h.rest):s.i+h.size]) != h.rest {
			return fieldUnknown
		}
		s.i += h.size
		s.space()
		return field(f)
	}
	return fieldUnknown
}
