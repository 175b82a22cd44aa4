package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func deleteCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{Use: "delete APP", Short: "Delete an app with its releases and alerts",
		Example: "  kurama delete hello\n  kurama delete hello --yes     without asking", Args: cobra.ExactArgs(1)}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return asks(cmd, func(s *session, args []string) error {
		if !yes {
			typed, err := s.ask(fmt.Sprintf("This deletes %s with all its releases and alerts. Type its name to go on: ", args[0]), false)
			if err != nil {
				return fmt.Errorf("%w. Use --yes to delete without asking", err)
			}
			if typed != args[0] {
				return fmt.Errorf("%q is not %q: nothing was deleted", typed, args[0])
			}
		}
		began := time.Now()
		if err := s.send("DELETE", appPath(args[0]), nil, nil); err != nil {
			return err
		}
		return s.print(map[string]string{"deleted": args[0]}, func() { s.done("%s deleted  %s", args[0], spoken(time.Since(began))) })
	})
}
