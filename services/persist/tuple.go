package persist

import (
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf8"

	"kurama/logship/record"
)

// copyRecords and appendTuple name and write the columns in the same order.
const copyRecords = `COPY records (ts, id, seq, release, cpu, disk, swap, mem, dur, queue, cpu_ms, status, kind, level,
	tenant, app, replica, method, url, route, req, msg, exc, extra, db_ms, bytes) FROM STDIN BINARY`

const (
	columns = 26
	// microsToPostgres are the microseconds from 1970 to 2000, Postgres's epoch.
	microsToPostgres = 946_684_800_000_000
	// maxName bounds what the index holds: Postgres refuses an index row beyond 2704 bytes.
	maxName = 512
	// visibleNUL stands for the one character that Postgres cannot keep in a text.
	visibleNUL = "\u2400"
)

var (
	copyHeader = []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	copyEnd    = []byte{0xff, 0xff}
	null       = []byte{0xff, 0xff, 0xff, 0xff}
)

// appendTuple appends r as one tuple of the binary COPY. What a column cannot
// hold is mended, never refused: see appendText and appendJSON; numbers out of
// range become null.
func appendTuple(dst []byte, seq int64, r *record.Record) []byte {
	dst = binary.BigEndian.AppendUint16(dst, columns)
	dst = appendInt8(dst, r.Time.UnixMicro()-microsToPostgres)
	dst = append(binary.BigEndian.AppendUint32(dst, 16), r.ID[:]...)
	dst = appendInt8(dst, seq)
	dst = appendInt4(dst, r.Release)
	dst = appendReal(dst, r.CPU)
	dst = appendReal(dst, r.Disk)
	dst = appendReal(dst, r.Swap)
	dst = appendReal(dst, r.Mem)
	dst = appendReal(dst, r.Dur)
	dst = appendReal(dst, r.Queue)
	dst = appendReal(dst, r.CPUMs)
	dst = appendStatus(dst, r.Status)
	dst = appendInt2(dst, int16(r.Kind))
	dst = appendInt2(dst, int16(r.Level))
	dst = appendText(dst, cut(r.Tenant))
	dst = appendText(dst, cut(r.App))
	dst = appendText(dst, r.Replica)
	dst = appendOptional(dst, r.Method)
	dst = appendOptional(dst, r.URL)
	dst = appendOptional(dst, r.Route)
	dst = appendOptional(dst, r.Req)
	dst = appendText(dst, r.Msg)
	dst = appendOptional(dst, r.Exc)
	dst = appendJSON(dst, r.Extra)
	dst = appendReal(dst, r.DBMs)
	return appendBytes(dst, r.Bytes)
}

func appendInt8(dst []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, 0, 0, 0, 8), uint64(n))
}

// appendInt4 writes 0 for a release that is out of range: the column is not null.
func appendInt4(dst []byte, n int) []byte {
	if n < math.MinInt32 || n > math.MaxInt32 {
		n = 0
	}
	return binary.BigEndian.AppendUint32(append(dst, 0, 0, 0, 4), uint32(int32(n)))
}

func appendInt2(dst []byte, n int16) []byte {
	return binary.BigEndian.AppendUint16(append(dst, 0, 0, 0, 2), uint16(n))
}

func appendStatus(dst []byte, status int) []byte {
	if status == 0 || status < math.MinInt16 || status > math.MaxInt16 {
		return append(dst, null...)
	}
	return appendInt2(dst, int16(status))
}

func appendReal(dst []byte, n record.Number) []byte {
	v := float32(n.Value)
	if !n.Known || v != v || math.IsInf(float64(v), 0) {
		return append(dst, null...)
	}
	return binary.BigEndian.AppendUint32(append(dst, 0, 0, 0, 4), math.Float32bits(v))
}

// appendBytes writes null for what no answer can have.
func appendBytes(dst []byte, n record.Number) []byte {
	if !n.Known || !(n.Value >= 0 && n.Value < 1<<62) {
		return append(dst, null...)
	}
	return appendInt8(dst, int64(n.Value))
}

func appendOptional(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, null...)
	}
	return appendText(dst, s)
}

// appendText writes NUL as a visible sign and bytes that are no UTF-8 as U+FFFD:
// Postgres stores neither.
func appendText(dst []byte, s string) []byte {
	if strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) {
		s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", visibleNUL), "\ufffd")
	}
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(s))), s...)
}

// cut bounds a name; what is cut off by it was never the name of an app.
func cut(name string) string {
	if len(name) <= maxName {
		return name
	}
	return strings.ToValidUTF8(name[:maxName], "")
}
