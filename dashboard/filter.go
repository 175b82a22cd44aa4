package dashboard

import (
	"encoding/json"
	"fmt"
	"strings"

	"kurama/logship/record"
)

// maxFilter bounds the texts of a filter, in bytes.
const maxFilter = 200

// filter says which records of the live log a client wants; the zero filter
// passes all. It can be compared, so that clients with the same one share
// what is built for it.
type filter struct {
	level record.Level // at least
	kind  record.Kind
	text  string // lower case, somewhere in the message
	route string // exactly
}

// passes reports whether the line is wanted.
func (f *filter) passes(l *line) bool {
	switch {
	case l.level < f.level:
		return false
	case f.kind != record.KindUnknown && l.kind != f.kind:
		return false
	case f.route == "" && f.text == "":
		return true
	}
	route, msg := l.texts()
	return (f.route == "" || route == f.route) && strings.Contains(strings.ToLower(msg), f.text)
}

// parseFilter reads a client's message {"filter":{"level","kind","text","route"}}.
func parseFilter(message []byte) (filter, error) {
	var in struct {
		Filter *struct{ Level, Kind, Text, Route string }
	}
	if err := json.Unmarshal(message, &in); err != nil {
		return filter{}, fmt.Errorf("the message is not a JSON object: %w", err)
	}
	if in.Filter == nil {
		return filter{}, fmt.Errorf(`the message has no "filter"`)
	}
	f := filter{text: strings.ToLower(in.Filter.Text), route: in.Filter.Route}
	if len(f.text) > maxFilter || len(f.route) > maxFilter {
		return filter{}, fmt.Errorf("a text of the filter is longer than %d bytes", maxFilter)
	}
	var err error
	if in.Filter.Level != "" {
		if f.level, err = record.ParseLevel(in.Filter.Level); err != nil {
			return filter{}, fmt.Errorf("level %q: %w", in.Filter.Level, err)
		}
	}
	if in.Filter.Kind != "" {
		if f.kind, err = record.ParseKind(in.Filter.Kind); err != nil {
			return filter{}, fmt.Errorf("kind %q: %w", in.Filter.Kind, err)
		}
	}
	return f, nil
}
