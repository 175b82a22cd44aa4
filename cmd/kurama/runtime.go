package main

import (
	"cmp"

	"github.com/spf13/cobra"

	"kurama/paas"
)

func runtimeCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "runtime APP [NAME]", Short: "Show or change the OCI runtime of an app's containers",
		Long: "Runs an app by another OCI runtime, such as gVisor's runsc or Kata, which put a kernel of their own between the app and the host.\n" +
			"The operator lists in docker.runtimes which are allowed. A change replaces the replicas, without a gap.",
		Example: "  kurama runtime hello\n  kurama runtime hello runsc\n  kurama runtime hello --default", Args: cobra.RangeArgs(1, 2)}
	cmd.Flags().Bool("default", false, "use the installation's again")
	return asks(cmd, func(s *session, args []string) error {
		var view paas.Runtimes
		reset, err := s.cmd.Flags().GetBool("default")
		if err != nil {
			return err
		}
		path := appPath(args[0], "runtime")
		if change := append(args[1:], ""); reset || len(args) > 1 {
			err = s.send("PUT", path, map[string]string{"runtime": change[0]}, &view)
		} else {
			err = s.get(path, nil, &view)
		}
		if err != nil {
			return err
		}
		return s.print(view, func() {
			rows := [][]string{{cmp.Or(view.Runtime, view.Default), "runs the app"}}
			for _, c := range view.Choices {
				switch {
				case c.Name == view.Runtime:
				case c.Installed:
					rows = append(rows, []string{c.Name, "could be chosen"})
				default:
					rows = append(rows, []string{c.Name, "is allowed, but the engine has it not"})
				}
			}
			s.table("RUNTIME -", rows)
		})
	})
}
