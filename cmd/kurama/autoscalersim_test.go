package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kurama/autoscaler/sim"
)

func TestAutoscalerSim(t *testing.T) {
	dir := t.TempDir()
	trace := filepath.Join(dir, "trace.csv")
	if err := os.WriteFile(trace, []byte("minute,requests\n2026-01-01 00:00,60\n2026-01-01 00:01,600\n2026-01-01 00:02,60\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ask := func(args ...string) (string, error) {
		root := rootCommand()
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetErr(&bytes.Buffer{})
		root.SetArgs(append([]string{"autoscaler", "sim"}, args...))
		err := root.ExecuteContext(t.Context())
		return out.String(), err
	}
	t.Run("a trace is run under each policy, and drawn", func(t *testing.T) {
		svg := filepath.Join(dir, "out.svg")
		out, err := ask("--trace", trace, "--day", "1", "--top", "100", "--policy", "swift,peak", "--seeds", "2", "--within", "poisson", "--json", "--svg", svg)
		var report sim.Report
		if err != nil || json.Unmarshal([]byte(out), &report) != nil || len(report.Results) != 2 || report.Results[0].Load != "day 1 × 10, poisson" {
			t.Errorf("%v: %s", err, out)
		}
		if data, err := os.ReadFile(svg); err != nil || !strings.HasPrefix(string(data), "<svg") {
			t.Errorf("%v: %.80s", err, data)
		}
	})
	t.Run("what cannot be is refused in a sentence", func(t *testing.T) {
		for want, args := range map[string][]string{
			`no load called "magic": use one of step`:       {"--load", "magic"},
			`no plant called "magic": use one of waits`:     {"--plant", "magic"},
			`no policy called "magic": use one of kurama`:   {"--policy", "magic"},
			`has no day "2": it holds 3 minutes`:            {"--trace", trace, "--day", "2"},
			`no model "even" of a minute`:                   {"--trace", trace, "--within", "even"},
			`no number called "swift.magic"`:                {"--policy", "swift", "--set", "swift.magic=1"},
			"--seeds is 0":                                  {"--seeds", "0"},
			`"drain" is not of the form NAME=VALUE`:         {"--policy", "swift", "--set", "drain"},
			"swift.drain is 0 s: use 0.1 to 60 s (within w": {"--policy", "swift", "--set", "drain=0"},
		} {
			if _, err := ask(args...); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: %v, want %q", args, err, want)
			}
		}
	})
	t.Run("the role keeps its name", func(t *testing.T) {
		cmd, rest, err := rootCommand().Find([]string{"autoscaler"})
		if err != nil || len(rest) != 0 || cmd.RunE == nil || cmd.GroupID != "roles" {
			t.Errorf("%+v, %v, %v", cmd, rest, err)
		}
	})
}
