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
		if err := s.confirm(yes, fmt.Sprintf("This deletes %s with all its releases, alerts, volumes and its database.", args[0]), args[0]); err != nil {
			return err
		}
		began := time.Now()
		if err := s.send("DELETE", appPath(args[0]), nil, nil); err != nil {
			return err
		}
		return s.print(map[string]string{"deleted": args[0]}, func() { s.done("%s deleted  %s", args[0], spoken(time.Since(began))) })
	})
}

// confirm has the name of what is to be deleted typed, unless yes was said.
func (s *session) confirm(yes bool, what, name string) error {
	if yes {
		return nil
	}
	typed, err := s.ask(what+" Type the app's name to go on: ", false)
	if err != nil {
		return fmt.Errorf("%w. Use --yes to delete without asking", err)
	}
	if typed != name {
		return fmt.Errorf("%q is not %q: nothing was deleted", typed, name)
	}
	return nil
}
