package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kurama/paas/api"
)

func routingCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "routing APP", Short: "Domains, maintenance, password and rate of an app",
		Long: "Shows or changes how an app is reached: domains of its own, a maintenance page, a password before it, and how much one client may send.",
		Example: `  kurama routing shop --add-domain shop.example.org
  kurama routing shop --https on
  kurama routing shop --maintenance on --message "Back at noon."
  kurama routing shop --user team --password "correct horse battery"
  kurama routing shop --rate 10 --burst 20`, Args: cobra.ExactArgs(1)}
	flags := cmd.Flags()
	flags.StringSlice("add-domain", nil, "answer on this host, too")
	flags.StringSlice("remove-domain", nil, "do not answer on this host any more")
	flags.String("https", "", "on: requests without TLS are led to https://; off")
	flags.String("maintenance", "", "on: visitors get a page that says so; off")
	flags.String("message", "", "on the maintenance page")
	flags.String("user", "", "name before the password; empty: open to all")
	flags.String("password", "", "password before the app, at least 12 characters")
	flags.Float64("rate", 0, "requests per second of one client; 0: no bound")
	flags.Int("burst", 0, "requests that one client may send at once")
	return asks(cmd, func(s *session, args []string) error {
		var view api.RoutingView
		path := appPath(args[0], "routing")
		if err := s.get(path, nil, &view); err != nil {
			return err
		}
		change, err := s.routingChange(view.Domains)
		if err != nil {
			return err
		}
		if len(change) > 0 {
			if err := s.send("PUT", path, change, &view); err != nil {
				return err
			}
			s.done("changed how %s is reached", args[0])
		}
		return s.print(view, func() { s.showRouting(view) })
	})
}

// routingChange is what the flags ask for.
func (s *session) routingChange(domains []string) (map[string]any, error) {
	flags, change := s.cmd.Flags(), map[string]any{}
	add, _ := flags.GetStringSlice("add-domain")
	remove, _ := flags.GetStringSlice("remove-domain")
	for _, host := range remove {
		if !slices.Contains(domains, strings.ToLower(host)) {
			return nil, fmt.Errorf("%s is none of the app's domains", host)
		}
	}
	if len(add)+len(remove) > 0 {
		next := []string{}
		for _, host := range append(domains, add...) {
			if host = strings.ToLower(host); !slices.Contains(remove, host) {
				next = append(next, host)
			}
		}
		change["domains"] = next
	}
	for _, name := range []string{"https", "maintenance"} {
		if word, _ := flags.GetString(name); flags.Changed(name) {
			if word != "on" && word != "off" {
				return nil, fmt.Errorf("--%s is on or off, not %q", name, word)
			}
			change[name] = word == "on"
		}
	}
	for _, name := range []string{"message", "user", "password"} {
		if flags.Changed(name) {
			change[name], _ = flags.GetString(name)
		}
	}
	if flags.Changed("rate") {
		change["rate"], _ = flags.GetFloat64("rate")
	}
	if flags.Changed("burst") {
		change["burst"], _ = flags.GetInt("burst")
	}
	return change, nil
}

func (s *session) showRouting(v api.RoutingView) {
	row := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(s.out, "%-12s %s\n", name, fmt.Sprintf(format, args...))
	}
	domains := "none of its own"
	if len(v.Domains) > 0 {
		domains = strings.Join(v.Domains, ", ")
	}
	row("domains", "%s", domains)
	row("https", "%s", map[bool]string{true: "requests without TLS are led there", false: "not asked for"}[v.HTTPS])
	switch {
	case v.Maintenance && v.Message != "":
		row("maintenance", "on: %s", v.Message)
	case v.Maintenance:
		row("maintenance", "on")
	default:
		row("maintenance", "off")
	}
	if v.User == "" {
		row("access", "open to all")
	} else {
		row("access", "name %s and a password", v.User)
	}
	if v.Rate == 0 {
		row("rate", "no bound")
	} else {
		row("rate", "%g/s of one client", v.Rate)
	}
}
