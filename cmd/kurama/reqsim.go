package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurama/internal/config"
	"kurama/paas"
	"kurama/sdk/reqsim"
)

// reqsimFlags are the flags of the request simulator.
type reqsimFlags struct {
	app, tenant, url, host, method, shape string
	rate, peak, maxRate                   float64
	duration, period, timeout             time.Duration
	inFlight                              int
	paths, headers, ensure, also, out     []string
	scenario, trace, traffic              string
	speed, scale                          float64
	warmUp                                time.Duration
	json                                  bool
	stream, message                       int
	kinds, fields                         []string
	errors                                float64 // percent
	socket                                string
}

// reqsimCommand returns `kurama reqsim`.
func reqsimCommand() *cobra.Command {
	f := &reqsimFlags{}
	cmd := &cobra.Command{
		Use:   "reqsim (--app NAME | --url ADDRESS)",
		Short: "Send simulated requests to an app and report what it answered",
		Long: `Sends requests at a rate that follows a shape, whether or not the app keeps up, and
reports latencies, statuses and errors. Ctrl-C ends it early; the report still comes.
It sends to this platform's apps, and to what reqsim.allow in the configuration names.
With --stream it sends synthetic log records straight to the agent instead.

The exit status is 0 when all conditions of --ensure hold, 3 when one does not, 1 when no
request succeeded, 130 when it was interrupted.`,
		Example: `  kurama reqsim --app hello --rate 50 --duration 1m
  kurama reqsim --app hello --shape ramp --rate 5 --peak 200 --duration 5m
  kurama reqsim --app shop --tenant acme --path /=8 --path '/search?q=fox=2' --rate 20
  kurama reqsim --app hello --rate 50 --ensure 'p95 < 75ms' --ensure 'error_rate < 1%'
  kurama reqsim --app shop --scenario checkout.yaml --out report.html --out report.csv
  kurama reqsim --app shop --traffic 1h --speed 10
  kurama reqsim --app shop --trace day.csv --speed 60 --scale 0.01
  kurama reqsim --app hello --stream 100000 --rate 10000
  kurama reqsim --app hello --stream 50000 --shape spike --rate 100 --peak 5000 --period 10s --kind log --message 500 --field user=ann`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("stream") {
				return f.records(cmd)
			}
			return f.requests(cmd)
		},
	}
	f.register(cmd)
	return cmd
}

func (f *reqsimFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.app, "app", "", "app to send to")
	flags.StringVar(&f.tenant, "tenant", paas.DefaultTenant, "tenant of the app")
	flags.StringVar(&f.url, "url", "", "address to send to, in place of --app")
	flags.StringVar(&f.host, "host", "", "Host header (default: that of the address)")
	flags.StringVar(&f.method, "method", "GET", "method of the requests")
	flags.StringVar(&f.shape, "shape", string(reqsim.Constant), "course of the rate: constant, ramp, spike, sine, poisson")
	flags.Float64Var(&f.rate, "rate", 10, "requests per second; where the shape begins. With --stream: records per second, below 0 for as many as are taken")
	flags.Float64Var(&f.peak, "peak", 0, "highest rate of ramp, spike and sine (default: 5 × --rate)")
	flags.DurationVar(&f.duration, "duration", 30*time.Second, "how long to send, at most 1h")
	flags.DurationVar(&f.period, "period", 0, "length of one wave or spike (default: the duration)")
	flags.DurationVar(&f.timeout, "timeout", reqsim.DefaultTimeout, "bound of one request")
	flags.IntVar(&f.inFlight, "in-flight", reqsim.DefaultMaxInFlight, "requests at a time; what is due beyond waits")
	flags.Float64Var(&f.maxRate, "max-rate", reqsim.DefaultMaxRate, "bound of --rate and --peak")
	flags.StringArrayVar(&f.paths, "path", nil, "path to ask, with =WEIGHT behind it where there are several (repeatable)")
	flags.StringArrayVar(&f.headers, "header", nil, "header of each request, as 'Name: value' (repeatable)")
	flags.StringArrayVar(&f.ensure, "ensure", nil, "condition that decides the exit status, as 'p95 < 75ms', 'error_rate < 1%' or 'apdex(100ms) > 0.95' (repeatable)")
	flags.StringArrayVar(&f.also, "also", nil, "a further address, taken in turns with --url (repeatable)")
	flags.StringVar(&f.scenario, "scenario", "", "YAML file of phases, requests and conditions")
	flags.StringVar(&f.trace, "trace", "", "file of recorded traffic, lines of minute,count, whose course the rate follows")
	flags.StringVar(&f.traffic, "traffic", "", "send the app's own stored GET and HEAD requests of the last time, such as 1h, again")
	flags.Float64Var(&f.speed, "speed", 1, "how many times faster than it was a trace or stored traffic is replayed")
	flags.Float64Var(&f.scale, "scale", 1, "how many times as many requests a trace is replayed with")
	flags.DurationVar(&f.warmUp, "warm-up", 0, "requests of this time are sent, and left out of the report")
	flags.StringArrayVar(&f.out, "out", nil, "file for the report beside what is printed: .html, .csv, .json or .txt (repeatable)")
	flags.BoolVar(&f.json, "json", false, "print the report as JSON")
	flags.IntVar(&f.stream, "stream", 0, "send so many synthetic log records of the app to the agent")
	flags.StringSliceVar(&f.kinds, "kind", nil, "of --stream: kinds of the records, in turn: request, log, event (default request,log)")
	flags.IntVar(&f.message, "message", 0, "of --stream: bytes that a message has at least")
	flags.Float64Var(&f.errors, "errors", 1, "of --stream: percent of requests with status 500 and, where it is given, of log lines with the level ERROR")
	flags.StringArrayVar(&f.fields, "field", nil, "of --stream: a field of log lines and events, as NAME=VALUE (repeatable)")
	flags.StringVar(&f.socket, "socket", "", "the agent's socket (default: that of the platform on this machine)")
}

// oneCore is the rate (1/s) up to which requests are sent from one core, which
// is then a quarter busy: waking a second one for each costs more than it gives.
const oneCore = 5000

// requests sends requests and prints their report.
func (f *reqsimFlags) requests(cmd *cobra.Command) error {
	cfg, err := f.config(cmd)
	if err != nil {
		return err
	}
	plan, err := f.plan(cmd, cfg)
	if err != nil {
		return err
	}
	debug.SetGCPercent(400) // of a heap of a few MiB: collecting it less often costs no memory worth the name
	if checked, err := plan.Check(); err == nil && checked.Most() <= oneCore {
		runtime.GOMAXPROCS(1)
	}
	live := newLiveLine(cmd.ErrOrStderr(), f.json)
	report, err := reqsim.Run(cmd.Context(), plan, func(s reqsim.Snapshot) { live.show(s.Screen(live.width)...) })
	live.clear()
	if err != nil {
		return err
	}
	if err := f.print(cmd, report.Text(), report.JSON); err != nil {
		return err
	}
	if err := f.save(report); err != nil {
		return err
	}
	switch {
	case cmd.Context().Err() != nil:
		return exitError{130} // as a shell reports an interrupted command
	case report.Success == nil || *report.Success == 0:
		return exitError{1}
	case !report.Holds():
		return exitError{3}
	}
	return nil
}

// config returns the configuration that the root's flags name; without one the
// defaults hold.
func (f *reqsimFlags) config(cmd *cobra.Command) (config.Config, error) {
	s := &settings{}
	s.path, _ = cmd.Flags().GetString("config")
	s.data, _ = cmd.Flags().GetString("data")
	cfg, _, err := s.load()
	return cfg, err
}

func (f *reqsimFlags) print(cmd *cobra.Command, text string, asJSON func() ([]byte, error)) error {
	if f.json {
		data, err := asJSON()
		if err != nil {
			return err
		}
		text = string(data) + "\n"
	}
	_, err := io.WriteString(cmd.OutOrStdout(), text)
	return err
}

// save writes the report into the files that --out names, by their ending.
func (f *reqsimFlags) save(report reqsim.Report) error {
	for _, name := range f.out {
		text, err := reportAs(report, strings.TrimPrefix(filepath.Ext(name), "."))
		if err == nil {
			err = os.WriteFile(name, text, 0o644)
		}
		if err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
	}
	return nil
}
