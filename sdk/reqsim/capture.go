package reqsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// Capture says where in an answer a value is found: exactly one is set.
type Capture struct {
	JSON   string // path such as items.0.id
	Regexp string // whose first group, or all of it, is the value
	Header string
	Cookie string

	pattern *regexp.Regexp
}

// complete checks that c says one thing and compiles its expression.
func (c *Capture) complete(name string) (err error) {
	set := 0
	for _, s := range []string{c.JSON, c.Regexp, c.Header, c.Cookie} {
		if s != "" {
			set++
		}
	}
	if set != 1 {
		return fmt.Errorf("what is captured as %q needs one of json, regexp, header and cookie", name)
	}
	if c.Regexp != "" {
		if c.pattern, err = regexp.Compile(c.Regexp); err != nil {
			return fmt.Errorf("what is captured as %q: %w", name, err)
		}
	}
	return nil
}

// from returns the value in an answer.
func (c *Capture) from(res *http.Response, body []byte) (string, bool) {
	switch {
	case c.Header != "":
		v := res.Header.Get(c.Header)
		return v, v != ""
	case c.Cookie != "":
		for _, cookie := range res.Cookies() {
			if cookie.Name == c.Cookie {
				return cookie.Value, true
			}
		}
		return "", false
	case c.pattern != nil:
		m := c.pattern.FindSubmatch(body)
		if m == nil {
			return "", false
		}
		return string(m[min(1, len(m)-1)]), true
	}
	return jsonAt(body, c.JSON)
}

// jsonAt returns the value at a path of names and numbers with dots between.
func jsonAt(body []byte, path string) (string, bool) {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return "", false
	}
	for key := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			var there bool
			if v, there = in[key]; !there {
				return "", false
			}
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(in) {
				return "", false
			}
			v = in[i]
		default:
			return "", false
		}
	}
	switch x := v.(type) {
	case string:
		return x, true
	case nil:
		return "", false
	}
	text, err := json.Marshal(v)
	return string(text), err == nil
}

// fill puts values into a text in the place of {{name}}; a name that is not
// known is an error, since what would be sent is not what was meant.
func fill(text string, value func(name string) (string, bool)) (string, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	b := strings.Builder{}
	for {
		before, rest, open := strings.Cut(text, "{{")
		b.WriteString(before)
		if !open {
			return b.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}}")
		v, known := value(strings.TrimSpace(name))
		if !closed || !known {
			return "", fmt.Errorf("{{%s}} is not known", strings.TrimSpace(name))
		}
		b.WriteString(v)
		text = after
	}
}
