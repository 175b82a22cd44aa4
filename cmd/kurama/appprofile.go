package main

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"kurama/paas/api"
)

func profileCommand() *cobra.Command {
	var window string
	var slowest bool
	var of sampled
	cmd := &cobra.Command{Use: "profile APP", Short: "Show how each route of an app does, and where its code spends the time",
		Example: "  kurama profile hello\n  kurama profile hello --window 24h\n  kurama profile hello --slowest\n  kurama profile hello --for 30s\n" +
			"  kurama profile hello --stacks --route /buy > hello.folded", Args: cobra.ExactArgs(1)}
	of.flags(cmd)
	cmd.Flags().StringVar(&window, "window", "1h", "how far back: 15m, 1h, 24h, or any from 1m to 720h")
	cmd.Flags().BoolVar(&slowest, "slowest", false, "the slowest requests with their log lines instead")
	return asks(cmd, func(s *session, args []string) error {
		if of.lasts > 0 || of.folded {
			return s.stacks(args[0], window, of)
		}
		if slowest {
			return s.slowest(args[0], window)
		}
		var view api.ProfileView
		if err := s.get(appPath(args[0], "profile"), url.Values{"window": {window}}, &view); err != nil {
			return err
		}
		return s.print(view, func() { s.showProfile(args[0], window, view) })
	})
}

func (s *session) showProfile(app, window string, view api.ProfileView) {
	if len(view.Routes) == 0 {
		s.say("%s had no requests in the last %s.", app, window)
		return
	}
	rows := make([][]string, 0, len(view.Routes)+1)
	for _, r := range append(view.Routes, view.Total) {
		mark := ""
		if r.AboveMedian {
			mark = "▲"
		}
		if r.Route == "" {
			r.Route = "all"
		}
		rows = append(rows, []string{orDash(r.Method), r.Route, strconv.FormatInt(r.Requests, 10), strconv.FormatInt(r.Errors, 10), figure(r.Mean, " ms"),
			figure(r.P50, " ms") + mark, figure(r.P95, " ms"), figure(r.P99, " ms"), changeOf(r.P50, r.BeforeP50), figure(r.CPUMs, " ms"), figure(r.DBMs, " ms"), sizeOf(r.Bytes), fmt.Sprintf("%.2f/s", r.Rate)})
	}
	s.table("METHOD ROUTE REQUESTS ERRORS MEAN P50 P95 P99 CHANGE CPU DB BYTES RATE", rows)
	if view.Previous > 0 {
		s.say("▲ median above that of all routes; change of the median against release %d.", view.Previous)
	} else {
		s.say("▲ median above that of all routes.")
	}
}

// changeOf says by how much a figure differs from what it was.
func changeOf(now, before *float64) string {
	if now == nil || before == nil || *before == 0 {
		return "–"
	}
	return fmt.Sprintf("%+.0f %%", 100*(*now / *before - 1))
}

func (s *session) slowest(app, window string) error {
	var list struct {
		Window   string `json:"window"`
		Requests []struct {
			api.SlowRequest
			Logs []struct {
				Time  time.Time `json:"ts"`
				Level string    `json:"level"`
				Msg   string    `json:"msg"`
			} `json:"logs"`
		} `json:"requests"`
	}
	if err := s.get(appPath(app, "profile", "slowest"), url.Values{"window": {window}}, &list); err != nil {
		return err
	}
	return s.print(list, func() {
		if len(list.Requests) == 0 {
			s.say("%s had no requests in the last %s.", app, window)
		}
		for _, r := range list.Requests {
			_, _ = fmt.Fprintf(s.out, "%s  %s %s  %d  %.1f ms  %s\n", r.At.Local().Format(time.DateTime), r.Method, r.URL, r.Status, r.Dur, r.Route)
			for _, l := range r.Logs {
				_, _ = fmt.Fprintf(s.out, "    %s  %-8s  %s\n", l.Time.Local().Format("15:04:05.000"), l.Level, l.Msg)
			}
		}
	})
}

// sizeOf writes a mean of bytes.
func sizeOf(bytes *float64) string {
	if bytes == nil {
		return "–"
	}
	return size(int64(*bytes + 0.5))
}
