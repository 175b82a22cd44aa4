package alert

import (
	"errors"
	"strings"
	"testing"

	"kurama/logship/record"
	"kurama/paas"
)

func TestFilter(t *testing.T) {
	slow := &record.Record{Kind: record.KindRequest, Level: record.LevelInfo, Route: "/pay", Status: 200, Dur: record.Num(1500)}
	passes := func(text string, want bool) {
		t.Helper()
		test, err := CompileFilter(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			return
		}
		if test(slow) != want {
			t.Errorf("%q: got %v", text, !want)
		}
	}
	passes(`dur > 1s`, true)
	passes(`level >= ERROR or route == "/pay"`, true)
	passes(`not (route startsWith "/p")`, false)
	passes(`queue < 10ms`, false) // not known
	passes(`not (queue < 10ms)`, false)

	refused := func(text, part string) {
		t.Helper()
		_, err := CompileFilter(text)
		if invalid, ok := errors.AsType[*paas.Invalid](err); !ok || !strings.Contains(invalid.Reason, part) || !strings.Contains(invalid.Reason, "A record has level") {
			t.Errorf("%q: got %v, want %q", text, err, part)
		}
	}
	refused(` `, "is empty")
	refused(`p95 > 5`, "A record has no field called `p95`")
	refused(`count(level >= ERROR, "5m") > 1`, "(character 1)")
	refused(`dur > 5 for 1m`, "cannot be read")
}
