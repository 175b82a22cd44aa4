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
	fieldDBMs
	fieldBytes
	fieldReq
	fieldExc
	fieldExtra
	fieldUnknown // any other key
)

var fieldNames = [...]string{"ts", "id", "kind", "level", "tenant", "app", "release", "replica", "method", "url", "route",
	"status", "msg", "cpu", "disk", "swap", "mem", "dur", "queue", "cpu_ms", "db_ms", "bytes", "req", "exc", "extra"}

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
