package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kurama/internal/client"
)

func runCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "run APP -- COMMAND…", Short: "Run a command beside an app",
		Long: `Runs a command in a container of its own, with the source, the settings and the limits of the app. On a terminal
it has one; else its input and output are pipes, byte for byte. Its exit code is passed on.`,
		Example: `  kurama run hello -- flask shell
  kurama run hello -- python3 -c 'print(1)'
  kurama run hello -- sqlite3 instance/db .dump > dump.sql`, Args: cobra.MinimumNArgs(2)},
		func(s *session, args []string) error {
			if !s.json {
				return s.attach(args[0], args[1:])
			}
			var end client.Ended
			err := s.Lines(s.cmd.Context(), "POST", appPath(args[0], "run"), nil, map[string]any{"command": args[1:]}, func(text []byte) error {
				_, _ = fmt.Fprintf(s.out, "%s\n", text)
				return json.Unmarshal(text, &end)
			})
			switch {
			case err != nil:
				return err
			case !end.End:
				return errors.New("the command broke off: its end was not told")
			}
			if end.Exit != 0 {
				return exitError{end.Exit}
			}
			return nil
		})
}
