package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"kurama/internal/host"
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
	return &cobra.Command{
		Use:   "doctor",
		Short: "Say what is wrong with this machine, in sentences",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, folders, err := s.load()
			if err != nil {
				return err
			}
			sick := false
			for _, n := range host.Needs(cfg.Database.Bin, false) {
				err := n.Check(cmd.Context())
				sick = sick || err != nil
				say(cmd.OutOrStdout(), n.Name, err, n.Manual)
			}
			err = host.CheckDisk(folders.Data)
			say(cmd.OutOrStdout(), "disk space", err, "Free some, or move the data folder with --data.")
			if sick || err != nil {
				return exitError{1}
			}
			return nil
		},
	}
}

func say(w io.Writer, name string, err error, cure string) {
	switch {
	case err == nil:
		fmt.Fprintf(w, "✓ %s\n", name)
	case errors.Is(err, host.ErrAbsent):
		fmt.Fprintf(w, "✗ %s: it is not installed. `kurama setup` installs it. %s\n", name, cure)
	default:
		fmt.Fprintf(w, "✗ %s: %s. %s\n", name, strings.TrimSuffix(err.Error(), "."), cure)
	}
}
