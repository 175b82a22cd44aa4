package persist

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kurama/logship/record"
	"kurama/paas"
)

// The bounds of one page.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// Filter chooses records of one app. The zero value of a field does not
// filter, but for Kinds.
type Filter struct {
	Tenant, App string        // both exact; both empty: the host's samples
	From, To    time.Time     // From inclusive, To exclusive
	Level       record.Level  // this level or above
	Kinds       []record.Kind // none: request, log and event, which is what people read
	Text        string        // part of the message or the traceback, in any case of letters
	Status      string        // exact (404) or a class (5xx)
	Route       string        // exact
	Req         string        // exact
	Limit       int           // records of one page; 0: DefaultLimit; at most MaxLimit
	Cursor      string        // as returned with the page before
}

// where collects the conditions of a query and their arguments.
type where struct {
	conditions []string
	args       []any
}

// add appends a condition; each $ in it stands for the next of args.
func (w *where) add(condition string, args ...any) {
	for _, arg := range args {
		w.args = append(w.args, arg)
		condition = strings.Replace(condition, "$?", "$"+strconv.Itoa(len(w.args)), 1)
	}
	w.conditions = append(w.conditions, condition)
}

func (w *where) String() string { return strings.Join(w.conditions, " AND ") }

// where returns the conditions of f but for time and cursor. A status that is
// neither a number nor a class is a *paas.Invalid.
func (f *Filter) where() (*where, error) {
	w := &where{}
	w.add("tenant = $? AND app = $?", f.Tenant, f.App)
	kinds := f.Kinds
	if len(kinds) == 0 {
		kinds = []record.Kind{record.KindRequest, record.KindLog, record.KindEvent}
	}
	numbers := make([]int16, len(kinds))
	for i, k := range kinds {
		numbers[i] = int16(k)
	}
	w.add("kind = ANY($?)", numbers)
	if f.Level > 0 {
		w.add("level >= $?", int16(f.Level))
	}
	if f.Text != "" {
		pattern := "%" + likeEscaper.Replace(sanitize(f.Text)) + "%"
		if isASCII(f.Text) {
			w.add(`(msg COLLATE "C" ILIKE $? OR exc COLLATE "C" ILIKE $?)`, pattern, pattern)
		} else {
			w.add("(msg ILIKE $? OR exc ILIKE $?)", pattern, pattern)
		}
	}
	if f.Status != "" {
		from, to, err := statusRange(f.Status)
		if err != nil {
			return nil, err
		}
		w.add("status BETWEEN $? AND $?", from, to)
	}
	if f.Route != "" {
		w.add("route = $?", sanitize(f.Route))
	}
	if f.Req != "" {
		w.add("req = $?", sanitize(f.Req))
	}
	return w, nil
}

// isASCII reports whether text is. Its letters then need no locale to be
// compared in any case, which takes Postgres less than half the time.
func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// sanitize writes s as it was written when it was stored.
func sanitize(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", visibleNUL), "\ufffd")
}

// statusRange reads "404" or "5xx".
func statusRange(text string) (from, to int16, err error) {
	if class, ok := strings.CutSuffix(strings.ToLower(text), "xx"); ok && len(class) == 1 && class[0] >= '1' && class[0] <= '5' {
		from = int16(class[0]-'0') * 100
		return from, from + 99, nil
	}
	n, err := strconv.ParseInt(text, 10, 16)
	if err != nil || n < 100 || n > 999 {
		return 0, 0, &paas.Invalid{Reason: fmt.Sprintf("%q is not a status: write a number like 404, or a class like 5xx.", text)}
	}
	return int16(n), int16(n), nil
}

// limit returns the size of a page.
func (f *Filter) limit() int {
	if f.Limit <= 0 {
		return DefaultLimit
	}
	return min(f.Limit, MaxLimit)
}

const cursorSize = 8 + 16 // microseconds since the epoch, id

// cursorOf names the place of the last record of a page.
func cursorOf(r *record.Record) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, cursorSize), uint64(r.Time.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(append(b, r.ID[:]...))
}

// parseCursor reads what cursorOf wrote; anything else is a *paas.Invalid.
func parseCursor(text string) (at time.Time, id [16]byte, err error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil && len(b) == cursorSize {
		at, id = time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC(), [16]byte(b[8:])
	}
	if year := at.Year(); err != nil || len(b) != cursorSize || year < 1 || year > 9999 {
		return at, id, &paas.Invalid{Reason: fmt.Sprintf("%q is not a cursor: pass the one that came with the page before.", text)}
	}
	return at, id, nil
}
