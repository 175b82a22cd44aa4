package persist

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"kurama/internal/postgres/pgtest"
	"kurama/logship/record"
)

var extras = []string{
	`{}`, `{"a":1,"b":[true,null,"ü"],"c":{"d":-1.5e-7}}`, `{"a":"\u0000"}`, `{"a":"\\u0000"}`, `{"a":"\ud800"}`, `{"a":"\ud83d\ude00"}`,
	`{"a":"\ud83dx"}`, `{"a":"\ud83d\u0041"}`, `{"a":"\ude00"}`, `{"a":1e999999}`, `{"a":1E-999999}`, `{"a":1e-200}`, `{"a":123456789012345678901234567890}`,
	`{"a":` + strings.Repeat("9", 1000) + `}`, `{"a":0.` + strings.Repeat("1", 299) + `}`, strings.Repeat("[", 256) + strings.Repeat("]", 256),
	strings.Repeat("[", 9000) + strings.Repeat("]", 9000), "{\"a\":\"\xff\"}", `{"a":`, ``, `nul`, "\x00", `"` + strings.Repeat("x", 1<<20) + `"`, `{"\u0000":1}`,
	`{"a":"\"\\\/\b\f\n\r\t"}`, `-0`, `[1,2,3]`, `"\u00e9\ud83d\ude00\u0031"`,
}

// What appendJSON makes of anything must be jsonb to the real Postgres.
func TestPostgresTakesWhateverExtraHolds(t *testing.T) {
	pool := pgtest.New(t)
	random := rand.New(rand.NewPCG(3, 4))
	inputs := extras
	for range 2000 { // mutants: a few bytes of one replaced by bytes of another
		a, b := []byte(extras[random.IntN(16)]), extras[random.IntN(16)]
		for range 1 + random.IntN(3) {
			if len(a) > 0 && len(b) > 0 {
				a[random.IntN(len(a))] = b[random.IntN(len(b))]
			}
		}
		inputs = append(inputs, string(a))
	}
	kept := 0
	for _, in := range inputs {
		if in == "" {
			continue
		}
		out := string(appendJSON(nil, []byte(in))[5:])
		var kind string
		if err := pool.QueryRow(t.Context(), `SELECT jsonb_typeof($1::text::jsonb)`, out).Scan(&kind); err != nil {
			t.Errorf("%.100q became %.100q: %v", in, out, err)
		}
		if out == in {
			kept++
		}
	}
	if kept < 100 {
		t.Errorf("only %d of %d were kept as they are", kept, len(inputs))
	}
}

func FuzzStorable(f *testing.F) {
	for _, extra := range extras[:20] {
		f.Add([]byte(extra))
	}
	f.Fuzz(func(t *testing.T, extra []byte) {
		if storable(extra) && !json.Valid(extra) {
			t.Errorf("%q is storable but no JSON", extra)
		}
		if out := appendJSON(nil, extra); len(extra) > 0 && !json.Valid(out[5:]) {
			t.Errorf("%q became %q", extra, out[5:])
		}
	})
}

func FuzzCursorAndStatus(f *testing.F) {
	f.Add("5xx", "AAAA")
	f.Fuzz(func(t *testing.T, status, cursor string) {
		if from, to, err := statusRange(status); err == nil && (from < 100 || to > 999 || from > to) {
			t.Errorf("statusRange(%q) = %d to %d", status, from, to)
		}
		at, id, err := parseCursor(cursor)
		if err != nil {
			return
		}
		again, same, err := parseCursor(cursorOf(&record.Record{Time: at, ID: id}))
		if err != nil || !again.Equal(at) || same != id {
			t.Errorf("parseCursor(%q) = %s, %x; written and read again: %s, %x, %v", cursor, at, id, again, same, err)
		}
	})
}
