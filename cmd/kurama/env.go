package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kurama/paas"
)

type envDocument struct {
	Vars map[string]string `json:"vars"`
}

func envCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "env APP [set NAME=VALUE… | unset NAME…]", Short: "Show or change the settings of an app",
		Long: "Shows or changes the settings of an app, which it finds in its environment. A change makes a new release.",
		Example: `  kurama env hello
  kurama env hello set GREETING=hi DEBUG=0
  kurama env hello unset DEBUG`, Args: cobra.MinimumNArgs(1)},
		func(s *session, args []string) error {
			var env envDocument
			if err := s.get(appPath(args[0], "env"), nil, &env); err != nil {
				return err
			}
			if len(args) == 1 {
				return s.print(env, func() {
					for _, name := range slices.Sorted(maps.Keys(env.Vars)) {
						_, _ = fmt.Fprintf(s.out, "%s=%s\n", name, env.Vars[name])
					}
				})
			}
			if err := change(env.Vars, args[1], args[2:]); err != nil {
				return err
			}
			var release paas.Release
			if err := s.send("PUT", appPath(args[0], "env"), env, &release); err != nil {
				return err
			}
			s.done("%s %s", count(len(args)-2, "variable"), args[1])
			if release.Number == 0 { // none yet
				return s.print(env, func() { s.say("The first release of %s will have it.", args[0]) })
			}
			return s.follow(release, false)
		})
}

// change sets or unsets variables as the command line says.
func change(vars map[string]string, verb string, names []string) error {
	if len(names) == 0 || verb != "set" && verb != "unset" {
		return fmt.Errorf("use `env APP`, `env APP set NAME=VALUE…` or `env APP unset NAME…`")
	}
	for _, word := range names {
		name, value, given := strings.Cut(word, "=")
		_, known := vars[name]
		switch {
		case verb == "set" && !given:
			return fmt.Errorf("%q has no value: write it as %s=VALUE", word, word)
		case verb == "set":
			vars[name] = value
		case !known:
			return fmt.Errorf("%s is not set", word)
		default:
			delete(vars, name)
		}
	}
	return nil
}
