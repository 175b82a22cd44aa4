package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurama/internal/client"
)

func archiveDownloadCommand() *cobra.Command {
	var from, to, format, file string
	cmd := &cobra.Command{Use: "download APP", Short: "Download log records as a file; one that broke off is gone on with",
		Example: `  kurama archive download hello --from 24h -o hello.jsonl
  kurama archive download hello --from 2026-11-01 --to 2026-11-08 --format jsonl.zst
  kurama archive download hello --from 7d --format parquet -o hello.parquet
  kurama archive download hello --from 1h -o - | jq .msg`, Args: cobra.ExactArgs(1)}
	cmd.Flags().StringVar(&from, "from", "", "start: 24h, 7d, or a time (default the oldest record)")
	cmd.Flags().StringVar(&to, "to", "", "end: as --from (default now)")
	cmd.Flags().StringVar(&format, "format", "jsonl", "jsonl, json, csv, parquet, jsonl.gz or jsonl.zst")
	cmd.Flags().StringVarP(&file, "output", "o", "", "file to write; - is the standard output (default a name of app and range)")
	return asks(cmd, func(s *session, args []string) error {
		query := url.Values{"format": {format}}
		for name, text := range map[string]string{"from": from, "to": to} {
			if text == "" {
				continue
			}
			at, err := parseTime(text, time.Now())
			if err != nil {
				return err
			}
			query.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
		f := &fetching{s: s, name: file, Asked: strings.Join([]string{s.URL, s.Tenant, args[0], from, to, format}, " "),
			Path: appPath(args[0], "archive", "download"), Query: query}
		return f.run()
	})
}

// downloadTries is how often a download that breaks off is gone on with.
const downloadTries = 5

// fetching is a download. It goes to NAME.part first: a name stands for a whole
// one. What is needed to go on is noted beside it, for the next attempt and the
// next call.
type fetching struct {
	s    *session
	name string // empty: what the API suggests; -: the standard output
	part *os.File
	bar  *bar

	Asked string     `json:"asked"` // by the caller: times may be relative
	Path  string     `json:"path"`
	Query url.Values `json:"query"`
	Tag   string     `json:"tag"`
}

func (f *fetching) run() error {
	began := time.Now()
	f.recall()
	f.bar = f.s.bar("downloading", -1)
	err := f.fetch()
	f.bar.end()
	if f.part != nil {
		err = errors.Join(err, f.part.Close())
	}
	var off *client.BrokenOff
	if errors.As(err, &off) && f.part != nil {
		return fmt.Errorf("%w. The part is in %s; the same call goes on with it", err, f.part.Name())
	}
	if err != nil || f.name == "-" {
		return err
	}
	err = os.Rename(f.part.Name(), f.name)
	if err := errors.Join(err, os.Remove(f.note())); err != nil {
		return fmt.Errorf("putting %s into place: %w", f.name, err)
	}
	return f.report(time.Since(began))
}

// fetch asks until the whole is there, or until an attempt brings nothing.
func (f *fetching) fetch() (err error) {
	for range downloadTries {
		var have int64
		if f.part != nil {
			if have, err = f.part.Seek(0, io.SeekEnd); err != nil {
				return fmt.Errorf("reading %s: %w", f.part.Name(), err)
			}
		}
		_, err = f.s.Download(f.s.cmd.Context(), f.Path, f.Query, client.Resume{Bytes: have, Tag: f.Tag}, f.open)
		var off *client.BrokenOff
		var problem *client.Problem
		if errors.As(err, &problem) && problem.Status == http.StatusRequestedRangeNotSatisfiable && have > 0 {
			if problem.Whole == have { // nothing is behind what is there
				return nil
			}
			if err := f.part.Truncate(0); err != nil { // it is no part of that file
				return fmt.Errorf("writing %s: %w", f.part.Name(), err)
			}
			continue
		}
		if !errors.As(err, &off) || f.name == "-" || f.s.cmd.Context().Err() != nil {
			return err
		}
	}
	return err
}

// open takes an answer: it goes on with the part, or begins anew.
func (f *fetching) open(a client.Answer) (io.Writer, error) {
	if f.name == "-" {
		f.bar.Writer = f.s.out
		return f.bar, nil
	}
	if f.name == "" {
		f.name = filepath.Base(a.Name)
	}
	if f.part == nil {
		var err error
		if f.part, err = os.OpenFile(f.name+partSuffix, os.O_CREATE|os.O_RDWR, 0o644); err != nil {
			return nil, fmt.Errorf("writing %s: %w", f.name, err)
		}
	}
	if !a.Resumed {
		_, err := f.part.Seek(0, io.SeekStart)
		if err := errors.Join(err, f.part.Truncate(0)); err != nil {
			return nil, fmt.Errorf("writing %s: %w", f.part.Name(), err)
		}
	}
	f.Tag = a.Tag
	text, err := json.Marshal(f)
	if err == nil {
		err = os.WriteFile(f.note(), text, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("noting how to go on with %s: %w", f.name, err)
	}
	f.bar.Writer = f.part
	if a.Size >= 0 {
		have, _ := f.part.Seek(0, io.SeekCurrent)
		f.bar.size, f.bar.done = have+a.Size, have
	}
	return f.bar, nil
}

// Names beside the file that is downloaded: its part, and what is noted of that.
const (
	partSuffix = ".part"
	noteSuffix = ".part.json"
)

func (f *fetching) note() string { return f.name + noteSuffix }

// recall goes on with what a former call of the same words left. Where it is
// the API that names the file, its part may be any of the folder.
func (f *fetching) recall() {
	names := []string{f.name}
	switch f.name {
	case "-":
		return
	case "":
		names, _ = filepath.Glob("*" + noteSuffix) // fails for a bad pattern only
	}
	for _, name := range names {
		if f.goOn(strings.TrimSuffix(name, noteSuffix)) {
			f.s.say("going on with %s", f.part.Name())
			return
		}
	}
}

// goOn takes the part of the file name up, where its note says the same words.
func (f *fetching) goOn(name string) bool {
	text, err := os.ReadFile(name + noteSuffix)
	var former fetching
	if err != nil || json.Unmarshal(text, &former) != nil || former.Asked != f.Asked || former.Path != f.Path {
		return false
	}
	part, err := os.OpenFile(name+partSuffix, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	f.name, f.part, f.Query, f.Tag = name, part, former.Query, former.Tag
	return true
}

func (f *fetching) report(took time.Duration) error {
	info, err := os.Stat(f.name)
	if err != nil {
		return fmt.Errorf("reading %s: %w", f.name, err)
	}
	records := -1
	if f.Query.Get("format") == "jsonl" {
		if records, err = lineCount(f.name); err != nil {
			return err
		}
	}
	return f.s.print(map[string]any{"file": f.name, "bytes": info.Size()}, func() {
		what := size(info.Size())
		if records >= 0 {
			what = count(records, "record") + ", " + what
		}
		f.s.done("%s: %s  %s", f.name, what, spoken(took))
	})
}

func lineCount(name string) (int, error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, fmt.Errorf("counting records: %w", err)
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 64<<10), maxRecord)
	n := 0
	for lines.Scan() {
		n++
	}
	return n, lines.Err()
}
