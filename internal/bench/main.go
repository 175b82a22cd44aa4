// Command bench measures Kurama beside what one would use without it, on the
// same machine and in turns, and prints each figure with its ratio. It runs
// the real program, bin/kurama, with a data folder and ports of its own.
// docs/benchmarks.md says how each figure is made.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == peerCommand {
		os.Exit(servePeer(os.Args[2], os.Args[3:]))
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// section is a group of figures that is measured together.
type section struct {
	name, what string
	limit      time.Duration // it is given up after this
	run        func(*bench, context.Context) error
}

// wholeLimit bounds a run; what it does not reach is said to be not measured.
const wholeLimit = 20 * time.Minute

// sections are in the order in which they run: memory at rest before anything
// has grown, the heaviest load last.
var sections = []section{
	{"start", "second start and use at rest", 2 * time.Minute, (*bench).measureStart},
	{"deploy", "a changed app with unchanged dependencies, from the request to the first 200", 4 * time.Minute, (*bench).measureDeploy},
	{"router", "requests through the router", 2 * time.Minute, (*bench).measureRouter},
	{"balance", "p99 through the router with uneven replicas, beside an ideal shared queue", 3 * time.Minute, (*bench).measureBalance},
	{"scale", "a step of load, and an app that sleeps", 4 * time.Minute, (*bench).measureScale},
	{"reqsim", "the request simulator beside wrk and Locust", 2 * time.Minute, (*bench).measureReqsim},
	{"latency", "from the log call in an app to the websocket and to the committed row", 2 * time.Minute, (*bench).measureLatency},
	{"archive", "what the archive makes of an app's records", time.Minute, (*bench).measureArchive},
	{"neighbour", "an app while another tenant's takes all that it can", 5 * time.Minute, (*bench).measureNeighbour},
	{"agent", "use at 5 000 records/s", 2 * time.Minute, (*bench).measureAgent},
	{"steady", "5 000 records/s for as long as -hold says", steadyMax + 5*time.Minute, (*bench).measureSteady},
	{"fanout", "1 000 viewers of the live dashboard", 2 * time.Minute, (*bench).measureFanout},
	{"crowd", "5 000 viewers of the live dashboard, fifty of them stalled", 2 * time.Minute, (*bench).measureCrowd},
	{"pixel", "from a record to the screen of a browser, and what an open tab costs", 3 * time.Minute, (*bench).measurePixel},
	{"sdk", "what the Python library costs an app", 2 * time.Minute, (*bench).measureSDK},
	{"ingest", "from the agent's socket to committed rows", 4 * time.Minute, (*bench).measureIngest},
	{"rsyslog", "the same beside rsyslog with its Postgres output, where that is installed", 4 * time.Minute, (*bench).measureRsyslog},
	{"pages", "both pages at 10 000 apps, 500 routes and 5 million rows", 10 * time.Minute, (*bench).measurePages},
	{"victorialogs", "the same beside VictoriaLogs, which is built where it is missing", 15 * time.Minute, (*bench).measureVictoriaLogs},
	{"store", "questions to a store of many rows, its size, and the end of a day", 20 * time.Minute, (*bench).measureStore},
}

// named are the sections that are measured only where they are named: they
// take more than the rest together.
var named = map[string]bool{"pages": true, "store": true, "steady": true, "victorialogs": true}

// bench is one run.
type bench struct {
	root    string    // of the checkout
	program string    // bin/kurama
	place   *platform // nil until a section needs it
	report  *report
	out     io.Writer
	rows    int           // of the store
	open    time.Duration // that the tab of pixel is left open
	steady  time.Duration // of the section steady
	parts   []string      // of sections, as section/part; empty: all of each
}

func run(args []string, out, errs io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(errs)
	file := flags.String("out", "test-results/bench.json", "file that takes the figures as JSON")
	rows := flags.Int("rows", 20_000_000, "rows of the section store; pages has 5 million of them at the most")
	open := flags.Duration("for", pixelTime, "how long the section pixel leaves a tab open, 10s or more; what it used goes to test-results/"+pixelSamples)
	steady := flags.Duration("hold", 10*time.Minute, "how long the section steady holds its rate")
	flags.Usage = func() { help(errs, flags) }
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if *open < 10*time.Second {
		fmt.Fprintf(errs, "bench: -for %s is too short for a figure: 10s or more\n", *open)
		return 2
	}
	chosen, err := choose(flags.Args())
	if err != nil {
		fmt.Fprintln(errs, "bench:", err)
		return 2
	}
	if *steady < 10*time.Second || *steady > steadyMax {
		fmt.Fprintf(errs, "bench: -hold is %s; use 10s to %s\n", *steady, steadyMax)
		return 2
	}
	b, err := prepare(out)
	if err != nil {
		fmt.Fprintln(errs, "bench:", err)
		return 1
	}
	b.rows, b.open, b.steady, b.parts = *rows, *open, *steady, flags.Args()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if i := slices.IndexFunc(chosen, func(s section) bool { return s.name == "pixel" }); i >= 0 {
		chosen[i].limit += *open
	}
	ctx, cancel := context.WithTimeout(ctx, limitOf(chosen)+*open)
	defer cancel()
	err = b.measure(ctx, chosen)
	err = errors.Join(err, b.stop(), b.report.save(*file))
	if err != nil {
		fmt.Fprintln(errs, "bench:", err)
		return 1
	}
	fmt.Fprintf(out, "\nThe figures are in %s too.\n", *file)
	return 0
}

func help(w io.Writer, flags *flag.FlagSet) {
	fmt.Fprint(w, "go run ./internal/bench [-out FILE] [SECTION[/PART]…]\n\nWithout a section all are measured, but for those with a star:\n")
	for _, s := range sections {
		star := ""
		if named[s.name] {
			star = "*"
		}
		fmt.Fprintf(w, "  %-8s %s\n", s.name+star, s.what)
	}
	flags.PrintDefaults()
}

// limitOf bounds a run of the chosen sections.
func limitOf(chosen []section) time.Duration {
	limit := wholeLimit
	for _, s := range chosen {
		if named[s.name] {
			limit += s.limit
		}
	}
	return limit
}

// choose returns the sections called names, in their own order; without names
// all but those that must be named.
func choose(names []string) ([]section, error) {
	var chosen []section
	if len(names) == 0 {
		for _, s := range sections {
			if !named[s.name] {
				chosen = append(chosen, s)
			}
		}
		return chosen, nil
	}
	for _, s := range sections {
		if slices.ContainsFunc(names, func(name string) bool { return sectionOf(name) == s.name }) {
			chosen = append(chosen, s)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(sections, func(s section) bool { return s.name == sectionOf(name) }) {
			return nil, fmt.Errorf("there is no section %q. Choose from: %s", name, strings.Join(sectionNames(), ", "))
		}
	}
	return chosen, nil
}

// sectionOf returns the section of a name like neighbour/stdout.
func sectionOf(name string) string {
	section, _, _ := strings.Cut(name, "/")
	return section
}

// some returns those parts of a section that were named; all where none was.
func (b *bench) some(section string, all ...string) []string {
	named := slices.DeleteFunc(slices.Clone(all), func(part string) bool { return !slices.Contains(b.parts, section+"/"+part) })
	if len(named) == 0 {
		return all
	}
	return named
}

func sectionNames() []string {
	var names []string
	for _, s := range sections {
		names = append(names, s.name)
	}
	return names
}

// measure runs the sections; one that fails does not keep the others from theirs.
func (b *bench) measure(ctx context.Context, chosen []section) error {
	var failed error
	for _, s := range chosen {
		began := time.Now()
		fmt.Fprintf(b.out, "\n%s: %s\n", s.name, s.what)
		bounded, cancel := context.WithTimeout(ctx, s.limit)
		err := s.run(b, bounded)
		cancel()
		b.report.print(b.out, s.name)
		if ctx.Err() != nil {
			return fmt.Errorf("stopped in section %s: %w", s.name, ctx.Err())
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("section %s: %w", s.name, err))
			fmt.Fprintf(b.out, "  not measured: %v\n", err)
			continue
		}
		fmt.Fprintf(b.out, "  (%.0f s)\n", time.Since(began).Seconds())
	}
	return failed
}

// say prints a line of progress.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.out, "  · "+format+"\n", args...)
}
