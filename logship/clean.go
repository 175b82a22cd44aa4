package logship

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"kurama/logship/record"
)

const (
	maxURL  = 8 << 10 // bytes of url
	maxName = 1 << 10 // bytes of method, route, req and the names of identity
)

// clean makes a record fit for storage: texts of at most limit bytes, cut
// with a mark, no NUL (which Postgres cannot store), valid UTF-8.
func clean(r *record.Record, limit int) {
	cleanText(&r.Msg, limit)
	cleanText(&r.Exc, limit)
	cleanText(&r.URL, maxURL)
	for _, s := range []*string{&r.Method, &r.Route, &r.Req, &r.Tenant, &r.App, &r.Replica} {
		cleanText(s, maxName)
	}
	if r.Extra != nil {
		r.Extra = cleanExtra(r.Extra, limit)
	}
}

func cleanText(s *string, limit int) {
	if len(*s) > limit {
		*s = cutText(*s, limit, 0)
	}
	if strings.IndexByte(*s, 0) >= 0 {
		*s = strings.ReplaceAll(*s, "\x00", "\ufffd")
	}
}

// cutText cuts s to limit bytes at the start of a letter, with a mark that
// says how much is missing; more bytes are missing already.
func cutText(s string, limit, more int) string {
	end := min(limit, len(s))
	for end > 0 && end < len(s) && !utf8.RuneStart(s[end]) {
		end--
	}
	if end == len(s) && more == 0 {
		return s
	}
	return fmt.Sprintf("%s… (cut: %d bytes more)", s[:end], len(s)-end+more)
}

// cleanExtra returns extra in a form that every JSON store takes: escapes of
// NUL and of halves of surrogate pairs become U+FFFD. One that is too long is
// replaced by its length.
func cleanExtra(extra []byte, limit int) []byte {
	if len(extra) > limit {
		return fmt.Appendf(nil, `{"cut":%d}`, len(extra))
	}
	if !utf8.Valid(extra) {
		extra = bytes.ToValidUTF8(extra, []byte("\ufffd"))
	}
	if !bytes.Contains(extra, []byte(`\u0000`)) && !bytes.Contains(extra, []byte(`\ud`)) && !bytes.Contains(extra, []byte(`\uD`)) {
		return extra
	}
	var object map[string]any
	decoder := json.NewDecoder(bytes.NewReader(extra))
	decoder.UseNumber()
	if decoder.Decode(&object) != nil {
		return nil // record.Decode let it pass, so it is an object; keep the record all the same
	}
	whole, err := json.Marshal(withoutNUL(object))
	if err != nil {
		return nil
	}
	return whole
}

// withoutNUL replaces NUL in every text of a decoded JSON value.
func withoutNUL(value any) any {
	switch v := value.(type) {
	case string:
		return strings.ReplaceAll(v, "\x00", "\ufffd")
	case []any:
		for i := range v {
			v[i] = withoutNUL(v[i])
		}
	case map[string]any:
		clean := make(map[string]any, len(v))
		for key, member := range v {
			clean[strings.ReplaceAll(key, "\x00", "\ufffd")] = withoutNUL(member)
		}
		return clean
	}
	return value
}
