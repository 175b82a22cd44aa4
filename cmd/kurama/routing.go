package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurama/internal/config"
	"kurama/paas"
	"kurama/paas/api"
)

func routingCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "routing APP", Short: "Domains, maintenance, password, rate and bounds of an app",
		Long: "Shows or changes how an app is reached: domains of its own, which it has to show by DNS to be yours, a maintenance page, a password before it, and how much a client and a request may take.",
		Example: `  kurama routing shop --add-domain shop.example.org
  kurama routing shop --add-domain example.org/shop    # below a path; the longest one that fits takes a request
  kurama routing shop --check                          # look now whether the domains are shown to be yours
  kurama routing shop --https on
  kurama routing shop --maintenance on --message "Back at noon."
  kurama routing shop --user team --password "correct horse battery"
  kurama routing shop --rate 10 --burst 20
  kurama routing shop --timeout 2m --idle 5m --max-body 500MiB`, Args: cobra.ExactArgs(1)}
	flags := cmd.Flags()
	flags.StringSlice("add-domain", nil, "answer on this host, or below this path of a host, too")
	flags.StringSlice("remove-domain", nil, "do not answer there any more")
	flags.String("https", "", "on: requests without TLS are led to https://; off")
	flags.String("maintenance", "", "on: visitors get a page that says so; off")
	flags.String("message", "", "on the maintenance page")
	flags.String("user", "", "name before the password; empty: open to all")
	flags.String("password", "", "password before the app, at least 12 characters")
	flags.Float64("rate", 0, "requests per second of one client; 0: no bound")
	flags.Int("burst", 0, "requests that one client may send at once")
	flags.Duration("timeout", 0, "until an answer begins; 0: the platform's")
	flags.Duration("idle", 0, "of silence within an answer or a websocket; 0: no bound")
	flags.String("max-body", "", "largest body of a request, such as 200MiB; 0B: the platform's")
	flags.Bool("check", false, "look now whether the domains are shown to be yours")
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
		} else if check, _ := s.cmd.Flags().GetBool("check"); check {
			if err := s.send("POST", path+"/check", nil, &view); err != nil {
				return err
			}
		}
		return s.print(view, func() { s.showRouting(view) })
	})
}

// routingChange is what the flags ask for.
func (s *session) routingChange(domains []string) (map[string]any, error) {
	flags, change := s.cmd.Flags(), map[string]any{}
	add, _ := flags.GetStringSlice("add-domain")
	remove, _ := flags.GetStringSlice("remove-domain")
	for i, name := range remove {
		if remove[i] = lowerHost(name); !slices.Contains(domains, remove[i]) {
			return nil, fmt.Errorf("%s is none of the app's domains", name)
		}
	}
	if len(add)+len(remove) > 0 {
		next := []string{}
		for _, name := range append(domains, add...) {
			if name = lowerHost(name); !slices.Contains(remove, name) {
				next = append(next, name)
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
	for _, name := range []string{"timeout", "idle"} {
		if wait, _ := flags.GetDuration(name); flags.Changed(name) {
			change[name] = wait.Seconds()
		}
	}
	if text, _ := flags.GetString("max-body"); flags.Changed("max-body") {
		size, err := config.ParseBytes(text)
		if err != nil {
			return nil, fmt.Errorf("--max-body: %w", err)
		}
		change["max_body"] = int64(size)
	}
	return change, nil
}

func (s *session) showRouting(v api.RoutingView) {
	row := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(s.out, "%-12s %s\n", name, fmt.Sprintf(format, args...))
	}
	for i, d := range v.Found {
		state := "✓"
		if !d.Active {
			state = "waits: " + d.Says
		}
		row(map[bool]string{true: "domains"}[i == 0], "%s  %s", d.Name, state)
	}
	if len(v.Found) == 0 {
		row("domains", "none of its own")
	}
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
	row("timeout", "%s", orPlatform(v.Timeout > 0, seconds(v.Timeout).String()))
	row("body", "%s", orPlatform(v.MaxBody > 0, config.Bytes(v.MaxBody).String()))
	if v.Idle > 0 {
		row("idle", "%s of silence end an answer or a websocket", seconds(v.Idle))
	}
}

func orPlatform(own bool, text string) string {
	if own {
		return "at most " + text
	}
	return "as the platform has it"
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// lowerHost writes the host of a domain in lower case; a path stays as it is.
func lowerHost(name string) string {
	host, path := paas.SplitDomain(name)
	return strings.ToLower(host) + path
}
