package main

import (
	"errors"

	"github.com/spf13/cobra"

	"kurama/paas"
)

func isolationCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "isolation APP", Short: "Measure in a replica what an app's code may do", Args: cobra.ExactArgs(1),
		Long: "Measures the walls around an app: in a replica what harms nothing, and in a fresh container like it what would.\n" +
			"The exit code is 1 when one of them does not stand.",
		Example: "  kurama isolation hello\n  kurama isolation hello --json"},
		func(s *session, args []string) error {
			var card paas.Isolation
			if err := s.get(appPath(args[0], "isolation"), nil, &card); err != nil {
				return err
			}
			err := s.print(card, func() {
				rows := make([][]string, len(card.Checks))
				for i, c := range card.Checks {
					mark := "✓"
					if !c.OK {
						mark = "✗"
					}
					rows[i] = []string{mark, c.Name, c.Where, c.Says}
				}
				s.table("- WALL MEASURED-IN FOUND", rows)
			})
			if err == nil && !card.OK {
				err = errors.New("not all of the walls around " + args[0] + " stand: see the lines marked ✗, and ask the platform's operator")
			}
			return err
		})
}
