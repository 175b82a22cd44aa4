package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"kurama/internal/config"
	"kurama/paas/api"
)

func archiveCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "archive", Short: "List, download and verify the JSON archive of an app",
		Example: `  kurama archive list hello
  kurama archive download hello --from 24h -o hello.jsonl
  kurama archive verify hello
  kurama archive limits --tenant acme --max 5GiB`}
	cmd.AddCommand(archiveListCommand(), archiveDownloadCommand(), archiveVerifyCommand(), archiveLimitsCommand())
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
				if list.Removed > 0 {
					s.say("%d older records were removed, as the archive of the tenant was full.", list.Removed)
				}
			})
		})
}

// archiveVerifyCommand ends with 1 where a file is damaged.
func archiveVerifyCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "verify APP", Short: "Read every file of the archive and compare it with its checksum, index and count",
		Example: "  kurama archive verify hello", Args: cobra.ExactArgs(1)},
		func(s *session, args []string) error {
			var files []api.ArchiveCheck
			var sum struct {
				End     bool  `json:"end"`
				OK      bool  `json:"ok"`
				Files   int   `json:"files"`
				Records int64 `json:"records"`
				Bytes   int64 `json:"bytes"`
			}
			began := time.Now()
			err := s.Lines(s.cmd.Context(), "GET", appPath(args[0], "archive", "verify"), nil, nil, func(line []byte) error {
				if err := json.Unmarshal(line, &sum); err != nil || sum.End {
					return err
				}
				var f api.ArchiveCheck
				err := json.Unmarshal(line, &f)
				files = append(files, f)
				if !f.OK && !s.json {
					s.say("✗ %s: %s", f.Name, f.Says)
				}
				return err
			})
			if err != nil {
				return err
			}
			if !sum.End {
				return fmt.Errorf("the answer broke off after %s", count(len(files), "file"))
			}
			err = s.print(map[string]any{"ok": sum.OK, "files": files, "records": sum.Records, "bytes": sum.Bytes}, func() {
				if sum.OK {
					s.done("%s, %s, %s: all as noted  %s", count(sum.Files, "file"), count(int(sum.Records), "record"), size(sum.Bytes), spoken(time.Since(began)))
				}
			})
			if err == nil && !sum.OK {
				return exitError{1}
			}
			return err
		})
}

func archiveLimitsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "limits", Short: "Show what is kept of a tenant's archive; operators change it", Args: cobra.NoArgs,
		Example: `  kurama archive limits
  kurama archive limits --tenant acme --retention 30d --max 5GiB
  kurama archive limits --tenant acme --default`}
	flags := cmd.Flags()
	flags.String("retention", "", "how long files are kept: 720h or 30d")
	flags.String("max", "", "size beyond which the oldest files go, such as 5GiB; 0: no bound")
	flags.Bool("default", false, "keep what the configuration says again")
	return asks(cmd, func(s *session, _ []string) error {
		state, err := s.archiveLimits()
		if err != nil {
			return err
		}
		return s.print(state, func() { s.showArchive(state) })
	})
}

// archiveLimits changes what is kept where flags ask for it, and returns it.
func (s *session) archiveLimits() (state api.ArchiveState, err error) {
	flags := s.cmd.Flags()
	if reset, _ := flags.GetBool("default"); reset {
		if err := s.send("DELETE", "/archive", nil, nil); err != nil {
			return state, err
		}
	}
	if err := s.get("/archive", nil, &state); err != nil {
		return state, err
	}
	if text, _ := flags.GetString("retention"); text != "" {
		now := time.Now()
		since, err := parseTime(text, now)
		if err != nil {
			return state, fmt.Errorf("--retention: %w", err)
		}
		state.Limits.Retention = int64(now.Sub(since).Round(time.Second) / time.Second)
	}
	if text, _ := flags.GetString("max"); text != "" {
		bytes, err := config.ParseBytes(text)
		if err != nil {
			return state, fmt.Errorf("--max: %w", err)
		}
		state.Limits.MaxBytes = int64(bytes)
	}
	if flags.Changed("retention") || flags.Changed("max") {
		err = s.send("PUT", "/archive", state.Limits, &state)
	}
	return state, err
}

func (s *session) showArchive(state api.ArchiveState) {
	bound := "no bound"
	if state.Limits.MaxBytes > 0 {
		bound = size(state.Limits.MaxBytes)
	}
	s.say("Files are kept for %g days, %s of %s used.", float64(state.Limits.Retention)/86400, size(state.Bytes), bound)
	rows := make([][]string, len(state.Apps))
	for i, a := range state.Apps {
		rows[i] = []string{a.App, strconv.Itoa(a.Files), strconv.FormatInt(a.Records, 10), size(a.Bytes), strconv.FormatInt(a.Removed, 10)}
	}
	s.table("APP FILES RECORDS SIZE REMOVED", rows)
}
