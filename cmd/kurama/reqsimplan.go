package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurama/autoscaler/sim"
	"kurama/internal/config"
	"kurama/sdk/reqsim"
)

// plan makes the plan of the flags and the scenario; flags that were given come
// first.
func (f *reqsimFlags) plan(cmd *cobra.Command, cfg config.Config) (reqsim.Plan, error) {
	plan := reqsim.Plan{URL: f.url, Method: f.method, Host: f.host, Shape: reqsim.Shape(f.shape), Rate: f.rate, Peak: cmp.Or(f.peak, 5*f.rate),
		Duration: f.duration, Period: f.period, Timeout: f.timeout, MaxInFlight: f.inFlight, MaxRate: f.maxRate, WarmUp: f.warmUp, Also: f.also,
		Headers: map[string][]string{}}
	if err := f.flagged(&plan); err != nil {
		return plan, err
	}
	if err := f.scripted(&plan); err != nil {
		return plan, err
	}
	if f.trace != "" {
		if err := f.traced(&plan); err != nil {
			return plan, err
		}
	}
	return plan, f.aim(cmd, cfg, &plan)
}

// flagged puts what is given by repeatable flags into the plan.
func (f *reqsimFlags) flagged(plan *reqsim.Plan) error {
	for _, text := range f.ensure {
		e, err := reqsim.ParseEnsure(text)
		if err != nil {
			return err
		}
		plan.Ensure = append(plan.Ensure, e)
	}
	for _, text := range f.paths {
		path, err := weightedPath(text)
		if err != nil {
			return err
		}
		plan.Paths = append(plan.Paths, path)
	}
	for _, text := range f.headers {
		name, value, ok := strings.Cut(text, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return fmt.Errorf("the header %q is not of the form 'Name: value'", text)
		}
		plan.Headers.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return nil
}

// scripted puts the scenario into the plan. Its data files lie beside it.
func (f *reqsimFlags) scripted(plan *reqsim.Plan) error {
	if f.scenario == "" {
		return nil
	}
	text, err := os.ReadFile(f.scenario)
	if err != nil {
		return err
	}
	s, err := reqsim.ParseScenario(text)
	if err == nil {
		err = s.Apply(plan, func(name string) (io.ReadCloser, error) {
			if !filepath.IsAbs(name) {
				name = filepath.Join(filepath.Dir(f.scenario), name)
			}
			return os.Open(name)
		})
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.scenario, err)
	}
	f.app = cmp.Or(f.app, s.App)
	return nil
}

// traced makes a phase of each minute of a trace, so many times faster than it
// was and with so many times the requests.
func (f *reqsimFlags) traced(plan *reqsim.Plan) error {
	file, err := os.Open(f.trace)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	trace, err := sim.ReadTrace(file)
	if err != nil {
		return fmt.Errorf("%s: %w", f.trace, err)
	}
	if !(f.speed > 0 && f.scale > 0) {
		return fmt.Errorf("--speed is %g and --scale %g: both must be above 0", f.speed, f.scale)
	}
	minute := time.Duration(float64(time.Minute) / f.speed)
	plan.Phases = nil
	for _, n := range trace.Minutes {
		plan.Phases = append(plan.Phases, reqsim.Phase{Name: "trace", Rate: float64(n) * f.scale / minute.Seconds(), Duration: minute})
	}
	return nil
}

// weightedPath reads "/", "/=6" or "/search?q=1=2". The weight is what stands
// behind the last '='; in a query that needs a '=' of its own before it.
func weightedPath(text string) (reqsim.Path, error) {
	path, weight := text, 1
	if at := strings.LastIndexByte(text, '='); at > 0 {
		before := text[:at]
		query := before[strings.LastIndexAny(before, "?&")+1:]
		if n, err := strconv.Atoi(text[at+1:]); err == nil && (!strings.Contains(before, "?") || strings.Contains(query, "=")) {
			path, weight = before, n
		}
	}
	if !strings.HasPrefix(path, "/") || weight < 1 {
		return reqsim.Path{}, fmt.Errorf("the path %q is not of the form /path or /path=WEIGHT, with a weight of 1 or more", text)
	}
	return reqsim.Path{Path: path, Weight: weight}, nil
}
