package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"kurama/paas/api"
)

func archiveCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "archive", Short: "List and download the JSON archive of an app",
		Example: "  kurama archive list hello\n  kurama archive download hello --from 24h -o hello.jsonl"}
	cmd.AddCommand(archiveListCommand(), archiveDownloadCommand())
	return cmd
}

func archiveListCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "list APP", Short: "List the sealed files of an app", Example: "  kurama archive list hello", Args: cobra.ExactArgs(1)},
		func(s *session, args []string) error {
			var list api.ArchiveList
			if err := s.get(appPath(args[0], "archive"), nil, &list); err != nil {
				return err
			}
			return s.print(list, func() {
				rows := make([][]string, len(list.Files))
				for i, f := range list.Files {
					rows[i] = []string{f.Name, f.From.Local().Format(time.DateTime), f.To.Local().Format(time.DateTime), strconv.FormatInt(f.Records, 10), size(f.Bytes)}
				}
				s.table("FILE FROM TO RECORDS SIZE", rows)
			})
		})
}

func archiveDownloadCommand() *cobra.Command {
	var from, to, format, file string
	cmd := &cobra.Command{Use: "download APP", Short: "Download log records as a file",
		Example: `  kurama archive download hello --from 24h -o hello.jsonl
  kurama archive download hello --from 2026-11-01 --to 2026-11-08 --format jsonl.zst
  kurama archive download hello --from 1h -o - | jq .msg`, Args: cobra.ExactArgs(1)}
	cmd.Flags().StringVar(&from, "from", "", "start: 24h, 7d, or a time (default the oldest record)")
	cmd.Flags().StringVar(&to, "to", "", "end: as --from (default now)")
	cmd.Flags().StringVar(&format, "format", "jsonl", "jsonl, json, jsonl.gz or jsonl.zst")
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
		return s.download(appPath(args[0], "archive", "download"), query, file)
	})
}

// download writes to a file beside its name first: a name stands for a whole
// download.
func (s *session) download(path string, query url.Values, name string) error {
	var part *os.File
	progress := s.bar("downloading", -1)
	began := time.Now()
	n, err := s.Download(s.cmd.Context(), path, query, func(suggested string) (io.Writer, error) {
		if name == "-" {
			progress.Writer = s.out
			return progress, nil
		}
		if name == "" {
			name = filepath.Base(suggested)
		}
		var err error
		if part, err = os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*"); err != nil {
			return nil, fmt.Errorf("writing %s: %w", name, err)
		}
		progress.Writer = part
		return progress, nil
	})
	progress.end()
	if part != nil {
		defer func() { _ = os.Remove(part.Name()) }() // after the rename there is none
		err = errors.Join(err, part.Chmod(0o644), part.Close())
		if err == nil {
			err = os.Rename(part.Name(), name)
		}
	}
	if err != nil || name == "-" {
		return err
	}
	records := -1
	if query.Get("format") == "jsonl" {
		if records, err = lineCount(name); err != nil {
			return err
		}
	}
	return s.print(map[string]any{"file": name, "bytes": n}, func() {
		what := size(n)
		if records >= 0 {
			what = count(records, "record") + ", " + what
		}
		s.done("%s: %s  %s", name, what, spoken(time.Since(began)))
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
