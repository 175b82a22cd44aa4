package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kurama/internal/config"
	"kurama/internal/host"
	"kurama/internal/postgres"
)

func setupCommand(s *settings) *cobra.Command {
	var test bool
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "Install and start what Kurama needs on this machine",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := s.load()
			if err != nil {
				return err
			}
			return host.Ensure(cmd.Context(), host.Needs(cfg.Database.Bin, test), func(line string) {
				fmt.Fprintln(cmd.OutOrStdout(), line)
			})
		},
	}
	cmd.Flags().BoolVar(&test, "test", false, "also what the tests need")
	return cmd
}

func doctorCommand(s *settings) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "doctor",
		Short:   "Say what is wrong with this machine, in sentences",
		Long:    "Looks at what Kurama needs of this machine. ✗: it cannot run, or its walls do not stand; the exit code is 1 then. !: better mended.",
		Example: "  kurama doctor\n  kurama doctor --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, folders, err := s.load()
			if err != nil {
				return err
			}
			found := examine(cmd.Context(), cfg, folders)
			if asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(found)
			} else {
				err = tell(cmd.OutOrStdout(), found)
			}
			if err == nil && slices.ContainsFunc(found, func(f host.Finding) bool { return f.Grave }) {
				err = exitError{1}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

// examine looks at what Kurama needs, then at the machine as such, then at what
// this installation is set to.
func examine(ctx context.Context, cfg config.Config, folders config.Folders) []host.Finding {
	var found []host.Finding
	add := func(name string, err error, cure string) {
		f := host.Finding{Name: name, Grave: err != nil}
		switch {
		case errors.Is(err, host.ErrAbsent):
			f.Says = "It is not installed. `kurama setup` installs it. " + cure
		case err != nil:
			f.Says = sentence(err) + " " + cure
		}
		found = append(found, f)
	}
	for _, n := range host.Needs(cfg.Database.Bin, false) {
		add(n.Name, n.Check(ctx), n.Manual)
	}
	found = append(found, host.Doctor(host.Look(ctx, cfg.Docker.Host))...)
	add("disk space", host.CheckDisk(folders.Data), "Free some, or move the data folder with --data.")
	if cfg.Database.URL == "" {
		add("user of the database", postgres.CheckAccount(), "Make one: `adduser --system postgres`.")
	}
	if c, err := net.Dial("unix", folders.Socket("router.sock")); err == nil {
		_ = c.Close()
		if databasesWanted(folders) {
			add("databases of apps", databasesAnswer(ctx, folders), "Its log is "+folders.Sub(postgres.AppsName+".log")+".")
		}
		return append(found, host.Finding{Name: "ports (this installation runs)"})
	}
	p, err := bindPorts(cfg)
	p.close()
	add("ports", err, "")
	return found
}

func sentence(err error) string {
	text := strings.TrimSuffix(err.Error(), ".")
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

func tell(w io.Writer, found []host.Finding) error {
	for _, f := range found {
		mark := "✓"
		switch {
		case f.Grave:
			mark = "✗"
		case f.Says != "":
			mark = "!"
		}
		line := mark + " " + f.Name
		if f.Says != "" {
			line += ": " + strings.TrimSpace(f.Says)
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}
