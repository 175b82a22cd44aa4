// Command kurama is the whole platform: `kurama up` runs it, each role also
// runs alone, and the other subcommands talk to its API.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() { os.Exit(run(os.Args[1:])) }

// exitError ends the program with a code of its own; what there was to say
// has been said.
type exitError struct{ code int }

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", e.code) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var exit exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.code
	}
	fmt.Fprintln(os.Stderr, "kurama:", err)
	var wrong configError
	if errors.As(err, &wrong) {
		return 2
	}
	return 1
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "kurama",
		Short: "A home for Flask apps, with log profiling built in",
		Example: `  kurama up                          run the platform on this machine
  kurama deploy ./hello              put an app online
  kurama logs hello -f               watch what it says
  kurama reqsim --app hello --rate 50 --duration 60s`,
		SilenceUsage: true, SilenceErrors: true,
	}
	s := &settings{}
	root.PersistentFlags().StringVar(&s.path, "config", "", "configuration file (default ./kuramaconfig.yaml where there is one)")
	root.PersistentFlags().StringVar(&s.data, "data", "", "folder of all state (overrides the configuration)")
	root.AddGroup(&cobra.Group{ID: "host", Title: "Run the platform:"}, &cobra.Group{ID: "apps", Title: "Use it:"},
		&cobra.Group{ID: "roles", Title: "Run one role alone:"})
	add(root, "host", upCommand(s), setupCommand(s), doctorCommand(s), configCommand(s), backupCommand(s), restoreCommand(s), rotateKeyCommand(s))
	clients := clientCommands()
	add(root, "roles", joinRoles(roleCommands(s), clients)...)
	add(root, "apps", append(clients, reqsimCommand())...)
	root.SetFlagErrorFunc(misused)
	explainArgs(root)
	return root
}

// misused adds what was expected to what a command was wrongly given.
func misused(cmd *cobra.Command, err error) error {
	return fmt.Errorf("%w. Use `%s`; `%s --help` tells more", err, cmd.UseLine(), cmd.CommandPath())
}

// explainArgs lets every command say how it is used when it is not used so.
func explainArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil && cmd.Runnable() {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return misused(cmd, err)
			}
			return nil
		}
	}
	for _, below := range cmd.Commands() {
		explainArgs(below)
	}
}

func add(root *cobra.Command, group string, commands ...*cobra.Command) {
	for _, c := range commands {
		c.GroupID = group
		root.AddCommand(c)
	}
}
