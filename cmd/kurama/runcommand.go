package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func runCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "run APP -- COMMAND…", Short: "Run a command beside an app",
		Long: "Runs a command in a container of its own, with the source, the settings and the limits of the app. Its exit code is passed on.",
		Example: `  kurama run hello -- python3 -m flask --app app routes
  kurama run hello -- python3 -c 'print(1)'`, Args: cobra.MinimumNArgs(2)},
		func(s *session, args []string) error {
			var end struct {
				End   bool   `json:"end"`
				Exit  int    `json:"exit"`
				Error string `json:"error"`
			}
			err := s.Lines(s.cmd.Context(), "POST", appPath(args[0], "run"), nil, map[string]any{"command": args[1:]}, func(text []byte) error {
				if s.json {
					_, _ = fmt.Fprintf(s.out, "%s\n", text)
				}
				if err := json.Unmarshal(text, &end); err != nil || end.End {
					return err
				}
				return s.showOutput(text)
			})
			switch {
			case err != nil:
				return err
			case !end.End:
				return errors.New("the command broke off: its end was not told")
			case end.Error != "":
				s.say("kurama: %s", end.Error)
			}
			if end.Exit != 0 {
				return exitError{end.Exit}
			}
			return nil
		})
}

// showOutput passes a line of the command's output on to where it belongs.
func (s *session) showOutput(text []byte) error {
	var line struct{ Stream, Line string }
	if err := json.Unmarshal(text, &line); err != nil || s.json {
		return err
	}
	out := s.out
	if line.Stream == "stderr" {
		out = s.err
	}
	_, err := fmt.Fprintln(out, line.Line)
	return err
}
