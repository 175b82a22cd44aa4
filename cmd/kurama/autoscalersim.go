package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurama/autoscaler/sim"
	"kurama/paas"
)

// simFlags are the flags of the simulator of policies.
type simFlags struct {
	policies, loads, plants, sets, days, within []string
	trace, svg                                  string
	top                                         float64
	objective                                   time.Duration
	seeds, first, parallel, lag, restart        int
	lost                                        float64
	json                                        bool
}

// autoscalerCommand is the role, with the simulator below it.
func autoscalerCommand(s *settings) *cobra.Command {
	role := roleCommand(s, "autoscaler", "Replicas by load and response time", newAutoscaler)
	role.AddCommand(simCommand())
	return role
}

func simCommand() *cobra.Command {
	f := &simFlags{}
	cmd := &cobra.Command{Use: "sim", Short: "Run autoscaling policies against simulated apps and compare them",
		Long: `Runs policies, second by second and request by request, against a simulated app, and
tells how many requests were late, what that cost, and how calm it was.

policies  ` + strings.Join(sim.Scalers(), ", ") + `
loads     ` + namesOf(sim.Loads(), func(l sim.Load) string { return l.Name }) + `
plants    ` + namesOf(sim.Plants(), func(p sim.Plant) string { return p.Name }),
		Example: `  kurama autoscaler sim --policy swift,target --load step --plant waits
  kurama autoscaler sim --load held-out --plant all --seeds 8
  kurama autoscaler sim --policy swift --load step --set drain=2 --svg step.svg
  kurama autoscaler sim --trace requests.csv --day 5,6 --top 200 --within poisson,bursty`,
		Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) }}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.policies, "policy", sim.Scalers(), "policies and baselines to run")
	flags.StringSliceVar(&f.loads, "load", nil, "loads by name; all, tuned (swift was tuned on them) or held-out")
	flags.StringSliceVar(&f.plants, "plant", []string{"waits"}, "plants by name, or all")
	flags.StringVar(&f.trace, "trace", "", "file of real traffic in place of --load, lines of minute,count")
	flags.StringSliceVar(&f.days, "day", nil, "days of the trace, from 1, each a load of its own (default: all in one)")
	flags.Float64Var(&f.top, "top", 200, "requests per second that the busiest minute of a trace is scaled to")
	flags.StringSliceVar(&f.within, "within", []string{string(sim.Even), string(sim.Bursty)}, "how requests lie within a minute of a trace: poisson, bursty")
	flags.StringArrayVar(&f.sets, "set", nil, "a number of the policies, as NAME=VALUE; swift's and others' as swift.drain=2 (repeatable)")
	flags.DurationVar(&f.objective, "objective", 200*time.Millisecond, "response time above which a request is late")
	flags.IntVar(&f.seeds, "seeds", 5, "runs of each, for the confidence intervals")
	flags.IntVar(&f.first, "first-seed", 1, "seed of the first run; another gives other runs of the same loads")
	flags.IntVar(&f.parallel, "parallel", 1, "runs at a time")
	flags.IntVar(&f.lag, "lag", 0, "seconds by which figures reach the policies late")
	flags.Float64Var(&f.lost, "lost", 0, "share of the seconds whose figures are lost, 0 to 1")
	flags.IntVar(&f.restart, "restart", 0, "second at which the autoscaler starts anew (0: never)")
	flags.StringVar(&f.svg, "svg", "", "file for a picture of the first load on the first plant, seed 1")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	return cmd
}

func (f *simFlags) run(cmd *cobra.Command) error {
	report := sim.Report{Objective: f.objective.Seconds(), Seeds: f.seeds}
	policy, err := f.policy()
	if err != nil {
		return err
	}
	cases, err := f.cases()
	if err != nil {
		return err
	}
	if f.seeds < 1 || f.first < 1 || f.parallel < 1 || f.lag < 0 || f.restart < 0 || !(f.lost >= 0 && f.lost <= 1) || f.objective <= 0 {
		return fmt.Errorf("--seeds is %d, --first-seed %d, --parallel %d, --lag %d, --restart %d, --lost %g, --objective %s: seeds, the first seed and parallel must be 1 or more, the objective above 0, a share 0 to 1 and none negative",
			f.seeds, f.first, f.parallel, f.lag, f.restart, f.lost, f.objective)
	}
	plan := sim.Plan{Cases: cases, Scalers: f.policies, Seeds: f.seeds, First: f.first, Objective: f.objective.Seconds(), Policy: &policy,
		Lag: f.lag, Lost: f.lost, Restart: f.restart, Parallel: f.parallel}
	live := newLiveLine(cmd.ErrOrStderr(), f.json)
	report.Results, err = sim.Compare(cmd.Context(), plan, func(done, all int) { live.show(fmt.Sprintf("%d of %d runs", done, all)) })
	live.clear()
	if err != nil {
		return err
	}
	if slices.Contains(f.policies, paas.PolicySwift) {
		report.Verdicts = sim.Judge(report.Results, paas.PolicySwift)
	}
	if f.svg != "" {
		if err := f.plot(cmd.Context(), plan); err != nil {
			return err
		}
	}
	return f.print(cmd.OutOrStdout(), report)
}

func (f *simFlags) print(out io.Writer, report sim.Report) error {
	if !f.json {
		report.Text(out)
		return nil
	}
	data, err := report.JSON()
	if err == nil {
		_, err = fmt.Fprintln(out, string(data))
	}
	return err
}

// policy returns the numbers that the policies run with.
func (f *simFlags) policy() (paas.Policy, error) {
	p := paas.DefaultPolicy()
	if len(f.policies) == 1 { // its numbers need no name before them
		p.Name = f.policies[0]
	}
	for _, pair := range f.sets {
		name, text, ok := strings.Cut(pair, "=")
		v, err := strconv.ParseFloat(text, 64)
		if !ok || err != nil {
			return p, fmt.Errorf("%q is not of the form NAME=VALUE with a number as value", pair)
		}
		if err := p.Set(name, v); err != nil {
			return p, err
		}
	}
	p.Name = paas.PolicyKurama
	return p, p.Check()
}

// cases returns every load on every plant.
func (f *simFlags) cases() (cases []sim.Case, err error) {
	plants, err := chosen(f.plants, sim.Plants(), sim.PlantNamed, func(sim.Plant, string) bool { return false })
	if err != nil {
		return nil, err
	}
	var loads []sim.Load
	if f.trace != "" {
		loads, err = f.traced()
	} else {
		names := f.loads
		if len(names) == 0 {
			names = []string{"step"}
		}
		loads, err = chosen(names, sim.Loads(), sim.LoadNamed, func(l sim.Load, group string) bool {
			return group == "tuned" && l.Tuned || group == "held-out" && !l.Tuned
		})
	}
	for _, p := range plants {
		for _, l := range loads {
			cases = append(cases, sim.Case{Load: l, Plant: p})
		}
	}
	return cases, err
}

// chosen returns what is named: one by one, all, or a group.
func chosen[T any](names []string, all []T, named func(string) (T, error), in func(T, string) bool) ([]T, error) {
	var list []T
	for _, name := range names {
		before := len(list)
		for _, v := range all {
			if name == "all" || in(v, name) {
				list = append(list, v)
			}
		}
		if len(list) > before {
			continue
		}
		v, err := named(name)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// traced reads the trace and makes its loads.
func (f *simFlags) traced() (loads []sim.Load, err error) {
	file, err := os.Open(f.trace)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	trace, err := sim.ReadTrace(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.trace, err)
	}
	days := map[string]sim.Trace{"": trace}
	for _, text := range f.days {
		n, err := strconv.Atoi(text)
		day, ok := trace.Day(n)
		if err != nil || !ok {
			return nil, fmt.Errorf("%s has no day %q: it holds %d minutes", f.trace, text, len(trace.Minutes))
		}
		delete(days, "")
		days[text] = day
	}
	for _, name := range slices.Sorted(maps.Keys(days)) {
		for _, within := range f.within {
			if within != string(sim.Even) && within != string(sim.Bursty) {
				return nil, fmt.Errorf("there is no model %q of a minute: use poisson or bursty", within)
			}
			load, factor := days[name].Load(f.top, sim.Within(within), 1)
			load.Name = fmt.Sprintf("day %s × %g, %s", cmp.Or(name, "1 on"), factor, within)
			loads = append(loads, load)
		}
	}
	return loads, nil
}

// plot draws the first case under each policy.
func (f *simFlags) plot(ctx context.Context, plan sim.Plan) error {
	var curves []sim.Curve
	c := plan.Cases[0]
	for _, name := range plan.Scalers {
		o, err := sim.Run(ctx, sim.Experiment{Load: c.Load, Plant: c.Plant, Scaler: name, Objective: plan.Objective, Policy: plan.Policy,
			Seed: 1, Lag: plan.Lag, Lost: plan.Lost, Restart: plan.Restart, Curve: true})
		if err != nil {
			return err
		}
		curves = append(curves, sim.Curve{Scaler: name, Outcome: o})
	}
	file, err := os.Create(f.svg)
	if err != nil {
		return err
	}
	if err := sim.Plot(file, c.Load.Name+" on "+c.Plant.Name, curves); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

func namesOf[T any](list []T, name func(T) string) string {
	names := make([]string, len(list))
	for i, v := range list {
		names[i] = name(v)
	}
	return strings.Join(names, ", ")
}
