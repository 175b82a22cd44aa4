package main

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurama/logship/record"
)

// pageOf is how many records one request asks for at the most.
const pageOf = 1000

// logsFlags narrow what is shown; each is a parameter of the API.
type logsFlags struct {
	follow                                  bool
	since                                   string
	level, grep, status, route, kind, reqID string
	limit                                   int
}

func logsCommand() *cobra.Command {
	f := &logsFlags{}
	cmd := &cobra.Command{Use: "logs APP", Short: "Show or follow the log of an app",
		Example: `  kurama logs hello -f
  kurama logs hello --since 10m --level WARNING
  kurama logs hello --status 5xx --route '/user/<id>' --json`, Args: cobra.ExactArgs(1)}
	flags := cmd.Flags()
	flags.BoolVarP(&f.follow, "follow", "f", false, "go on with new records")
	flags.StringVar(&f.since, "since", "", "how far back: 10m, 2h, 3d, or a time")
	flags.StringVar(&f.level, "level", "", "this level and above: DEBUG, INFO, WARNING, ERROR, CRITICAL")
	flags.StringVar(&f.grep, "grep", "", "part of the message or the traceback")
	flags.StringVar(&f.status, "status", "", "404, or 5xx")
	flags.StringVar(&f.route, "route", "", "the Flask rule")
	flags.StringVar(&f.kind, "kind", "", "request, log, event, sample, profile; several with commas")
	flags.StringVar(&f.reqID, "req", "", "request id")
	flags.IntVar(&f.limit, "limit", 100, "records at the most, the newest")
	return asks(cmd, func(s *session, args []string) error {
		if f.limit < 0 {
			return fmt.Errorf("%d is not a number of records: use 0 or more", f.limit)
		}
		query, err := f.query(time.Now())
		if err != nil {
			return err
		}
		if f.follow {
			return s.followLogs(args[0], query, f.limit)
		}
		records, err := s.records(args[0], query, f.limit)
		if err != nil {
			return err
		}
		for i := range records {
			s.showRecord(&records[i])
		}
		return nil
	})
}

func (f *logsFlags) query(now time.Time) (url.Values, error) {
	q := url.Values{}
	for name, value := range map[string]string{"level": f.level, "q": f.grep, "status": f.status, "route": f.route, "kind": f.kind, "req": f.reqID} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.since != "" {
		from, err := parseTime(f.since, now)
		if err != nil {
			return nil, err
		}
		q.Set("from", from.UTC().Format(time.RFC3339Nano))
	}
	return q, nil
}

// records returns the newest records that query names, oldest first.
func (s *session) records(app string, query url.Values, limit int) ([]record.Record, error) {
	var records []record.Record
	for len(records) < limit {
		query.Set("limit", strconv.Itoa(min(limit-len(records), pageOf)))
		var page struct {
			Records []record.Record `json:"records"`
			Cursor  string          `json:"cursor"`
		}
		if err := s.get(appPath(app, "logs"), query, &page); err != nil {
			return nil, err
		}
		records = append(records, page.Records...)
		if page.Cursor == "" || len(page.Records) == 0 {
			break
		}
		query.Set("cursor", page.Cursor)
	}
	slices.Reverse(records)
	return records, nil
}

// followLogs shows the last records and goes on with new ones. The new ones
// are asked for first, and what comes twice is shown once, so that none is
// missed in between.
func (s *session) followLogs(app string, query url.Values, limit int) error {
	ctx := s.cmd.Context()
	following := url.Values{"follow": {"true"}}
	for name, values := range query {
		if name != "from" {
			following[name] = values
		}
	}
	resp, err := s.Do(ctx, "GET", appPath(app, "logs"), following, nil, nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	records, err := s.records(app, query, limit)
	if err != nil {
		return err
	}
	shown := map[record.ID]bool{}
	for i := range records {
		shown[records[i].ID] = true
		s.showRecord(&records[i])
	}
	err = eachRecord(resp.Body, func(r *record.Record) {
		if !shown[r.ID] {
			s.showRecord(r)
		}
	})
	if ctx.Err() != nil {
		return nil // the person has seen enough
	}
	if err == nil {
		err = fmt.Errorf("%s ended it", s.URL)
	}
	return fmt.Errorf("the log of %s broke off: %w", app, err)
}

// showRecord prints one record, as JSON or for people.
func (s *session) showRecord(r *record.Record) {
	if s.json {
		_, _ = s.out.Write(record.Append(nil, r))
		return
	}
	colour := plain
	switch {
	case r.Level >= record.LevelError:
		colour = red
	case r.Level >= record.LevelWarning:
		colour = amber
	}
	_, _ = fmt.Fprintf(s.out, "%s %s %s  %s\n", s.colour(grey, r.Time.Local().Format("15:04:05.000")),
		s.colour(colour, fmt.Sprintf("%-8s", r.Level)), s.colour(grey, r.Replica), r.Msg)
	if r.Exc != "" {
		_, _ = fmt.Fprintln(s.out, "    "+strings.ReplaceAll(strings.TrimRight(r.Exc, "\n"), "\n", "\n    "))
	}
}

// parseTime reads a time, a day, or how long ago: 10m, 2h, 3d.
func parseTime(text string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && n >= 0 && n < 36500 {
			return now.Add(-time.Duration(n * 24 * float64(time.Hour))), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(form, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time: write 10m, 2h or 3d for how long ago, or 2026-11-20T10:00:00Z", text)
}
