package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"kurama/paas"
)

func golden(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestYAML(t *testing.T) {
	t.Run("a pipeline is the same as YAML and as JSON, whatever stands beside it", func(t *testing.T) {
		p, err := Parse(golden(t, "full.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		var as bytes.Buffer
		enc := json.NewEncoder(&as)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(p); err != nil || as.String() != string(golden(t, "full.json")) {
			t.Errorf("as JSON it is\n%s (%v)", &as, err)
		}
		text, err := Format(p)
		if err != nil || text != string(golden(t, "full.out.yaml")) {
			t.Errorf("as YAML it is\n%s (%v)", text, err)
		}
		again, err := Parse([]byte(text))
		if err != nil || !reflect.DeepEqual(p, again) {
			t.Errorf("read again it is %+v (%v)", again, err)
		}
	})
	refused := func(text, part string) {
		t.Helper()
		_, err := Parse([]byte(text))
		if invalid, ok := errors.AsType[*paas.Invalid](err); !ok || !strings.Contains(invalid.Reason, part) {
			t.Errorf("%q: got %v, want %q", text, err, part)
		}
	}
	t.Run("a mistake is told with its line", func(t *testing.T) {
		refused("health: /\n", "has no `pipeline:`")
		refused("pipeline: [", "is not YAML")
		refused("pipeline: none\n", "Line 1: `pipeline` needs keys: persist, archive, alert, profile, dashboard, receivers.")
		refused("pipeline:\n  persits: off\n", "Line 2: `persits` is not known in `pipeline`")
		refused("pipeline:\n  persist: later\n", "Line 2: `persist` needs keys: off, take, retention_days.")
		refused("pipeline:\n  persist:\n    take: all\n", "Line 3: `take` is a list")
		refused("pipeline:\n  persist:\n    take:\n      - lvl: INFO\n", "Line 4: `lvl` is not known in `take`")
		refused("pipeline:\n  persist:\n    retention_days: soon\n", "Line 3: `soon` does not fit here: a whole number is wanted.")
		refused("pipeline:\n  receivers:\n    - to: a@b.c\n      for: [1]\n", "Line 4: ")
	})
}

func FuzzParse(f *testing.F) {
	f.Add(string(golden(f, "full.yaml")))
	f.Add("pipeline:\n  persist: off\n  archive: {take: [{sample: .5}]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse([]byte(text))
		if err != nil {
			return
		}
		out, err := Format(p)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Parse([]byte(out)); err != nil || !reflect.DeepEqual(again, p) && out != "pipeline: {}\n" {
			t.Fatalf("%q became %q: %+v, %+v, %v", text, out, p, again, err)
		}
	})
}
