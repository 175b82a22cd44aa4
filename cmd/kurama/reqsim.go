package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

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
	paths, headers, ensure                []string
	json                                  bool
	stream                                int
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
  kurama reqsim --app hello --stream 100000 --rate 10000`,
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
	flags.StringVar(&f.shape, "shape", string(reqsim.Constant), "course of the rate: constant, ramp, spike, sine")
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
	flags.BoolVar(&f.json, "json", false, "print the report as JSON")
	flags.IntVar(&f.stream, "stream", 0, "send so many synthetic log records of the app to the agent")
	flags.StringVar(&f.socket, "socket", "", "the agent's socket (default: that of the platform on this machine)")
}

// requests sends requests and prints their report.
func (f *reqsimFlags) requests(cmd *cobra.Command) error {
	cfg, err := f.config(cmd)
	if err != nil {
		return err
	}
	plan, err := f.plan(cfg)
	if err != nil {
		return err
	}
	live := newLiveLine(cmd.ErrOrStderr(), f.json)
	report, err := reqsim.Run(cmd.Context(), plan, func(s reqsim.Snapshot) { live.show(s.Line()) })
	live.clear()
	if err != nil {
		return err
	}
	if err := f.print(cmd, report.Text(), report.JSON); err != nil {
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

func (f *reqsimFlags) plan(cfg config.Config) (reqsim.Plan, error) {
	plan := reqsim.Plan{Method: f.method, Host: f.host, Shape: reqsim.Shape(f.shape), Rate: f.rate, Peak: cmp.Or(f.peak, 5*f.rate),
		Duration: f.duration, Period: f.period, Timeout: f.timeout, MaxInFlight: f.inFlight, MaxRate: f.maxRate, Headers: map[string][]string{}}
	var err error
	if plan.URL, err = f.target(routerAddress(cfg, os.Getenv("KURAMA_ROUTER")), cfg.Reqsim.Allow); err != nil {
		return plan, err
	}
	for _, text := range f.ensure {
		e, err := reqsim.ParseEnsure(text)
		if err != nil {
			return plan, err
		}
		plan.Ensure = append(plan.Ensure, e)
	}
	for _, text := range f.paths {
		path, err := weightedPath(text)
		if err != nil {
			return plan, err
		}
		plan.Paths = append(plan.Paths, path)
	}
	for _, text := range f.headers {
		name, value, ok := strings.Cut(text, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return plan, fmt.Errorf("the header %q is not of the form 'Name: value'", text)
		}
		plan.Headers.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return plan, nil
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

// records sends synthetic records to the agent.
func (f *reqsimFlags) records(cmd *cobra.Command) error {
	socket := f.socket
	if socket == "" {
		s := &settings{}
		s.path, _ = cmd.Flags().GetString("config") // a flag of the root; without it the defaults hold
		s.data, _ = cmd.Flags().GetString("data")
		_, folders, err := s.load()
		if err != nil {
			return err
		}
		socket = filepath.Join(folders.Run, "agent.sock")
	}
	plan := reqsim.StreamPlan{Socket: socket, Records: f.stream, Tenant: f.tenant, App: f.app}
	if cmd.Flags().Changed("rate") {
		plan.Rate = f.rate
	}
	if err := reachable(cmd.Context(), socket); err != nil {
		return err
	}
	live := newLiveLine(cmd.ErrOrStderr(), f.json)
	report, err := reqsim.Stream(cmd.Context(), plan, func(sent int) { live.show(fmt.Sprintf("%d/%d records", sent, f.stream)) })
	live.clear()
	if report.Records > 0 {
		if printErr := f.print(cmd, report.Text(), report.JSON); printErr != nil {
			return printErr
		}
	}
	if errors.Is(err, context.Canceled) {
		return exitError{130}
	}
	return err
}

// reachable fails where there is no such socket, which the client would wait for.
func reachable(_ context.Context, socket string) error {
	if info, err := os.Stat(socket); err != nil || info.Mode()&os.ModeSocket == 0 {
		return fmt.Errorf("there is no agent's socket at %s. Is `kurama up` running? Name its folder with --data, or the socket with --socket", socket)
	}
	return nil
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

// liveLine is a line on a terminal that is written over and over; elsewhere
// it writes nothing.
type liveLine struct {
	out   io.Writer
	width int
	last  time.Time
}

func newLiveLine(out io.Writer, quiet bool) *liveLine {
	file, ok := out.(*os.File)
	if quiet || !ok || !term.IsTerminal(int(file.Fd())) {
		return &liveLine{}
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		width = 80
	}
	return &liveLine{out: out, width: width}
}

func (l *liveLine) show(text string) {
	if l.out == nil || time.Since(l.last) < 100*time.Millisecond {
		return
	}
	l.last = time.Now()
	if runes := []rune(text); len(runes) >= l.width {
		text = string(runes[:max(l.width-1, 0)])
	}
	_, _ = fmt.Fprintf(l.out, "\r\x1b[K%s", text)
}

func (l *liveLine) clear() {
	if l.out != nil {
		_, _ = fmt.Fprint(l.out, "\r\x1b[K")
	}
}
