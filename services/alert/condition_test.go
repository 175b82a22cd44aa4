package alert

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"kurama/paas"
)

func TestConditions(t *testing.T) {
	busy := Figures{"cpu": 93, "mem": 85, "error_rate": 6, "p95": 250, "rate": 120, "requests": 7200, "level": 40, "status": 503, "replicas": 2}
	tests := []struct {
		text   string
		phrase string
		wait   time.Duration
		holds  bool
	}{
		{"cpu > 90", "cpu 93 % > 90 %", 0, true},
		{"cpu > 90 for 1m", "cpu 93 % > 90 % for 1 min", time.Minute, true},
		{"CPU > 90% FOR 5 minutes", "cpu 93 % > 90 % for 5 min", 5 * time.Minute, true},
		{"cpu >= 93.5 % for 1h30m", "cpu 93 % >= 93.5 % for 1 h 30 min", 90 * time.Minute, false},
		{"mem >= 80 and cpu > 50", "mem 85 % >= 80 % and cpu 93 % > 50 %", 0, true},
		{"(mem > 90 or cpu > 90) and replicas < 3", "(mem 85 % > 90 % or cpu 93 % > 90 %) and replicas 2 < 3", 0, true},
		{"error_rate > 5%", "error_rate 6 % > 5 %", 0, true},
		{"p95 > 200", "p95 250 ms > 200 ms", 0, true},
		{"p95 > 200ms", "p95 250 ms > 200 ms", 0, true},
		{"p95 > 1.5s", "p95 250 ms > 1.5 s", 0, false},
		{"p95 > 1.5 s or status >= 500", "p95 250 ms > 1.5 s or status 503 >= 500", 0, true},
		{"rate > 100", "rate 120 req/s > 100 req/s", 0, true},
		{"rate > 100/s", "rate 120 req/s > 100 req/s", 0, true},
		{"level >= error", "level ERROR >= ERROR", 0, true},
		{"level >= CRITICAL", "level ERROR >= CRITICAL", 0, false},
		{"50 < cpu < 90", "50 % < cpu 93 % and cpu 93 % < 90 %", 0, false},
		{"not (cpu < 90)", "not (cpu 93 % < 90 %)", 0, true},
		{"cpu + mem > 150", "cpu 93 % + mem 85 % > 150 %", 0, true},
		{"requests / 60 > 100", "requests 7200 / 60 > 100", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			c, err := Compile(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Phrase(busy); got != tt.phrase || c.For != tt.wait || c.Holds(busy) != tt.holds {
				t.Errorf("phrase %q, for %v, holds %v; want %q, %v, %v", got, c.For, c.Holds(busy), tt.phrase, tt.wait, tt.holds)
			}
		})
	}
}

func TestUnknownFiguresNeverMakeAConditionHold(t *testing.T) {
	known := Figures{"cpu": 95}
	tests := map[string]bool{
		"mem > 0": false, "mem < 100": false, "mem == 0": false, "mem != 0": false, "mem <= 0": false,
		"not (mem > 50)": false, "not (mem == 50)": false, "not (mem != 50)": false, "-mem > -1": false,
		"not (mem > 50 and cpu > 90)": false, "not not (mem > 50)": false, "mem - mem == 0": false,
		// What is known decides alone where it can.
		"mem > 50 or cpu > 90": true, "not (mem > 50 and cpu < 90)": true, "mem > 50 and cpu > 90": false,
	}
	for text, want := range tests {
		c, err := Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Holds(known); got != want {
			t.Errorf("%s holds %v with mem unknown, want %v", text, got, want)
		}
	}
}

func TestErrorsPointAtTheCharacter(t *testing.T) {
	tests := map[string]string{
		"":                          "The condition is empty",
		"cpuu > 90":                 "There is no figure called `cpuu` (character 1). Figures are cpu, mem,",
		"cpu > 90 and latency > 1s": "There is no figure called `latency` (character 14)",
		"p95 > 1.5s and foo > 1":    "`foo` (character 16)",
		"cpu":                       "`cpu` is a number, neither true nor false: compare it, as in `cpu > 90` (character 1)",
		"cpu > 90 and mem":          "`mem` is a number, neither true nor false: compare it, as in `cpu > 90` (character 14)",
		"cpu = 90":                  "A single = compares nothing: write == (character 5)",
		"cpu > 200ms":               "`cpu > 200 ms` compares percent with a time (character 7)",
		"cpu > ERROR":               "compares percent with a log level (character 7)",
		"cpu + p95 > 3":             "adds up percent and a time (character 7)",
		"cpu >":                     "cannot be read: it ends too early",
		"cpu > 90 mem > 5":          "cannot be read",
		"90 > 80":                   "names no figure",
		"true":                      "`true` cannot be part of a condition here (character 1)",
		`status == "500"`:           "cannot be part of a condition here (character 11)",
		"len(cpu) > 1":              "There is no function called `len`",
		"cpu > 1 ? true : false":    "cannot be part of a condition",
		"cpu in [1,2]":              "cannot be part of a condition",
		"cpu % 5 > 2":               "cannot be part of a condition",
		"cpu ** 99 > 2":             "cannot be part of a condition",
		"let x = 1; cpu > x":        "A single = compares nothing",
		"cpu > 90 for 5":            "`for 5` is not a duration: write it as `for 30s`",
		"cpu > 90 for 48h":          "`for 48h` is out of bounds",
		"cpu > 90\nBcc: x@y":        "control character (U+000A) at character 9",
		"cpu > 99999999999999999":   "too large a number (character 7)",
		strings.Repeat("cpu > 1 or ", 40) + "cpu > 1": "300 is the most",
	}
	for text, want := range tests {
		_, err := Compile(text)
		var invalid *paas.Invalid
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("Compile(%q) = %v\n  want %q", text, err, want)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{"cpu > 90 for 1m", "not (mem >= 80% and p95>1.5s) or level != ERROR", "50<cpu<90", "cpu > 5 ms", "é > 1", "cpu>((((1))))", "-cpu--1>-rate/s", "// x\ncpu",
		`p95(dur, "5m") > 200 && rate("1m") > 1`, `count(level >= ERROR and not (msg contains "x"), "5m") >= 10`, `nodata("5m") or oom()`, `max(cpu, '1m') > 1`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Compile(text)
		if err != nil {
			var invalid *paas.Invalid
			if !errors.As(err, &invalid) {
				t.Fatalf("%q: %T is not for the user: %v", text, err, err)
			}
			return
		}
		if c.Holds(nil) {
			t.Fatalf("%q holds without any figure", text)
		}
		if said := c.Phrase(Figures{"cpu": 1}); said == "" || !utf8.ValidString(said) {
			t.Fatalf("%q: phrase %q", text, said)
		}
		again, err := Compile(c.Text)
		if err != nil || again.Phrase(nil) != strings.TrimSuffix(c.Phrase(nil), " for "+spell(c.For)) {
			t.Fatalf("%q: its text %q reads differently: %v", text, c.Text, err)
		}
	})
}
