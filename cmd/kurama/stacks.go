package main

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurama/paas/api"
)

const (
	// deliveryTime is how long after the end of a sampling its last stacks are looked for.
	deliveryTime = 20 * time.Second
	topFrames    = 15
)

// sampled is what is asked of the sampling profiler.
type sampled struct {
	lasts  time.Duration
	hz     float64
	folded bool
	route  string
}

func (of *sampled) flags(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&of.lasts, "for", 0, "sample the stacks of the app's requests for so long, 10m at most, and show where they spent their time")
	cmd.Flags().Float64Var(&of.hz, "hz", 50, "samples a second, with --for")
	cmd.Flags().BoolVar(&of.folded, "stacks", false, "print the stacks that were sampled in the window, folded, with their ms: flamegraph.pl and speedscope read them")
	cmd.Flags().StringVar(&of.route, "route", "", "of this route alone, with --for and --stacks")
}

// stacks shows stacks, after sampling where that is asked for.
func (s *session) stacks(app, window string, of sampled) error {
	query := url.Values{"window": {window}, "route": {of.route}}
	view := api.StackView{}
	if of.lasts > 0 {
		var began api.SamplingView
		body := map[string]any{"seconds": max(1, int(of.lasts.Seconds()+0.5)), "hz": of.hz}
		if err := s.send("POST", appPath(app, "profile", "sample"), body, &began); err != nil {
			return err
		}
		if !s.json && !of.folded {
			s.say("%s", began.Message)
		}
		query.Set("window", max(time.Minute, of.lasts+deliveryTime).String())
		if err := s.await(app, began, query, &view); err != nil {
			return err
		}
	} else if err := s.get(appPath(app, "profile", "stacks"), query, &view); err != nil {
		return err
	}
	return s.print(view, func() {
		if of.folded {
			_, _ = fmt.Fprint(s.out, folded(view))
			return
		}
		s.showFrames(app, view)
	})
}

// await waits for the end of a sampling and for its last stacks, which come
// some seconds later.
func (s *session) await(app string, began api.SamplingView, query url.Values, view *api.StackView) error {
	select {
	case <-s.cmd.Context().Done():
		return s.cmd.Context().Err()
	case <-time.After(time.Until(began.Until)):
	}
	last := int64(-1)
	for deadline := time.Now().Add(deliveryTime); ; {
		if err := s.get(appPath(app, "profile", "stacks"), query, view); err != nil {
			return err
		}
		if view.Samples == last && last > 0 || time.Now().After(deadline) {
			return nil
		}
		last = view.Samples
		select {
		case <-s.cmd.Context().Done():
			return s.cmd.Context().Err()
		case <-time.After(3 * time.Second):
		}
	}
}

// showFrames prints the functions that took the most time, their own and with
// those that they called.
func (s *session) showFrames(app string, view api.StackView) {
	if view.Samples == 0 {
		s.say("No request of %s was sampled. Samples are taken while requests run, and those of less than 5 ms are seldom met: send it some that take longer, with `kurama reqsim --app %s`.", app, app)
		return
	}
	own, whole := make([]float64, len(view.Frames)), make([]float64, len(view.Frames))
	for i, n := range view.Nodes {
		own[n.Frame] += n.Ms
		counted := map[int]bool{} // a function that calls itself counts once
		for at := i; at >= 0; at = view.Nodes[at].Parent {
			if f := view.Nodes[at].Frame; !counted[f] {
				counted[f] = true
				whole[f] += n.Ms
			}
		}
	}
	order := make([]int, len(view.Frames))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(own[b], own[a]), cmp.Compare(whole[b], whole[a])) })
	var rows [][]string
	for _, f := range order[:min(len(order), topFrames)] {
		rows = append(rows, []string{percentOf(own[f], view.Ms), percentOf(whole[f], view.Ms), view.Frames[f]})
	}
	s.table("OWN WITH-CALLEES FUNCTION", rows)
	s.say("%s, %.1f s of requests. `--stacks` prints all, the console's Profile tab draws them.", count(int(view.Samples), "sample"), view.Ms/1000)
	if view.Dropped > 0 {
		s.say("%s of too many different stacks were dropped.", count(int(view.Dropped), "sample"))
	}
}

func percentOf(part, whole float64) string { return fmt.Sprintf("%.1f %%", 100*part/max(whole, 1e-9)) }

// folded writes one line a stack, frames with semicolons between, and its ms.
func folded(view api.StackView) string {
	var out strings.Builder
	for i, n := range view.Nodes {
		if n.Samples == 0 {
			continue
		}
		var names []string
		for at := i; at >= 0; at = view.Nodes[at].Parent {
			names = append(names, strings.ReplaceAll(view.Frames[view.Nodes[at].Frame], ";", ":"))
		}
		slices.Reverse(names)
		out.WriteString(strings.Join(names, ";") + " " + strconv.FormatInt(int64(n.Ms+0.5), 10) + "\n")
	}
	return out.String()
}
