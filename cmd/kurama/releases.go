package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurama/paas"
	"kurama/paas/api"
)

// cancelPatience is how long a deploy may take to end once it is told to.
const cancelPatience = time.Minute

func releasesCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "releases APP [cancel [RELEASE] | diff [RELEASE [AGAINST]] | tell [RECEIVER…] | watch [on|off] [FIELD=VALUE…]]", Short: "List the releases of an app, compare them, cancel one on its way, say who is told, go back by itself",
		Example: `  kurama releases hello
  kurama releases hello cancel       the one on its way
  kurama releases hello cancel 4
  kurama releases hello diff         the newest against the one live before it: what changed, and how its routes do
  kurama releases hello diff 7 4
  kurama releases hello tell https://ci.example.org/hook slack:https://hooks.slack.com/services/… ann@example.org
  kurama releases hello tell none
  kurama releases hello watch on     go back by itself when a release is clearly worse
  kurama releases hello watch on within=10m errors=5% p95=2x memory=25%`, Args: cobra.MinimumNArgs(1)},
		func(s *session, args []string) error {
			app := args[0]
			switch {
			case len(args) == 1:
				return s.showReleases(app)
			case args[1] == "tell":
				return s.tellOfReleases(app, args[2:])
			case args[1] == "watch":
				return s.watchReleases(app, args[2:])
			case args[1] == "diff" && len(args) < 5:
				return s.diffReleases(app, args[2:])
			case args[1] == "cancel" && len(args) < 4:
				return s.cancelRelease(app, args[2:])
			}
			return fmt.Errorf("%q is not known: use `releases APP`, `releases APP diff`, `releases APP tell`, `releases APP watch` or `releases APP cancel`", args[1])
		})
}

func (s *session) releases(app string) ([]paas.Release, error) {
	var list struct {
		Releases []paas.Release `json:"releases"`
	}
	err := s.get(appPath(app, "releases"), nil, &list)
	return list.Releases, err
}

func (s *session) showReleases(app string) error {
	list, err := s.releases(app)
	if err != nil {
		return err
	}
	return s.print(map[string]any{"releases": list}, func() {
		rows := make([][]string, len(list))
		for i, r := range list {
			what := firstLine(r.Reason + r.RolledBack)
			if r.Commit != "" {
				what = strings.TrimSpace(r.Commit + ". " + what)
			}
			if r.RollbackOf > 0 {
				what = fmt.Sprintf("rollback to %d. %s", r.RollbackOf, what)
			}
			rows[i] = []string{strconv.Itoa(r.Number), string(r.State), ago(r.CreatedAt), r.CreatedBy, what}
		}
		s.table("RELEASE STATE CREATED BY NOTE", rows)
	})
}

// cancelRelease ends the deploy that is named, or else the newest under way.
func (s *session) cancelRelease(app string, named []string) error {
	if len(named) == 1 {
		number, err := releaseNumber(app, named[0])
		if err != nil {
			return err
		}
		return s.cancel(s.cmd.Context(), app, number)
	}
	list, err := s.releases(app)
	if err != nil {
		return err
	}
	for _, r := range list {
		if r.State == paas.ReleaseBuilding || r.State == paas.ReleaseStarting {
			return s.cancel(s.cmd.Context(), app, r.Number)
		}
	}
	return fmt.Errorf("no release of %s is on its way, so there is nothing to cancel", app)
}

// tellOfReleases says who is told when a release is live or has failed, and
// shows it.
func (s *session) tellOfReleases(app string, receivers []string) error {
	var doc api.ReleaseReceivers
	path := appPath(app, "release-receivers")
	var err error
	switch {
	case len(receivers) == 0:
		err = s.get(path, nil, &doc)
	case len(receivers) == 1 && receivers[0] == "none":
		err = s.send("PUT", path, api.ReleaseReceivers{Receivers: []string{}}, &doc)
	default:
		err = s.send("PUT", path, api.ReleaseReceivers{Receivers: receivers}, &doc)
	}
	if err != nil {
		return err
	}
	return s.print(doc, func() {
		if len(doc.Receivers) == 0 {
			s.say("Nobody is told of releases of %s.", app)
		}
		for _, r := range doc.Receivers {
			_, _ = fmt.Fprintln(s.out, r)
		}
	})
}

// diffReleases shows what is different in a release, or in the newest.
func (s *session) diffReleases(app string, named []string) error {
	var numbers [2]int
	for i, text := range named {
		var err error
		if numbers[i], err = releaseNumber(app, text); err != nil {
			return err
		}
	}
	if numbers[0] == 0 {
		list, err := s.releases(app)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fmt.Errorf("%s has no release yet", app)
		}
		numbers[0] = list[0].Number
	}
	var c paas.ReleaseChanges
	if err := s.get(appPath(app, "releases", strconv.Itoa(numbers[0]), "changes"), url.Values{"against": {strconv.Itoa(numbers[1])}}, &c); err != nil {
		return err
	}
	figures, err := s.compare(app, numbers[0], c.Against)
	if err != nil {
		return err
	}
	return s.print(struct {
		paas.ReleaseChanges
		Figures paas.Comparison `json:"figures"`
	}{c, figures}, func() {
		s.showChanges(c)
		s.showComparison(figures)
	})
}

func (s *session) showChanges(c paas.ReleaseChanges) {
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format+"\n", args...) }
	line("Release %d against release %d:", c.Release, c.Against)
	if f := c.Files; f == nil {
		line("  files: one of the sources is no longer kept")
	} else if f.Added+f.Changed+f.Removed > 0 {
		line("  files: %d added, %d changed, %d removed", f.Added, f.Changed, f.Removed)
		for _, file := range f.Files {
			line("    %s %s", map[string]string{"added": "+", "changed": "~", "removed": "-"}[file.What], file.Path)
		}
		if left := f.Added + f.Changed + f.Removed - len(f.Files); left > 0 {
			line("    … and %d more", left)
		}
	}
	if c.Settings != nil {
		for sign, names := range map[string][]string{"+": c.Settings.Added, "~": c.Settings.Changed, "-": c.Settings.Removed} {
			for _, name := range names {
				line("  setting %s %s", sign, name)
			}
		}
	}
	for what, changed := range map[string]bool{"other dependencies": c.Layer, "another start": c.Start, "other limits": c.Limits} {
		if changed {
			line("  %s", what)
		}
	}
	if c.Same() {
		line("  nothing is different")
	}
}

func (s *session) cancel(ctx context.Context, app string, number int) error {
	var r paas.Release
	if err := s.Call(ctx, "POST", appPath(app, "releases", strconv.Itoa(number), "cancel"), nil, nil, &r); err != nil {
		return err
	}
	return s.print(r, func() {
		if r.State == paas.ReleaseFailed {
			s.done("release %d of %s is cancelled; what was live before serves on", number, app)
			return
		}
		s.say("Release %d of %s went live before it could be cancelled. `kurama rollback %s` takes it back.", number, app, app)
	})
}

// interrupted tells what becomes of a release whose watcher pressed Ctrl-C, and
// on a terminal asks. A second Ctrl-C leaves it alone.
func (s *session) interrupted(r paas.Release) error {
	goesOn := fmt.Errorf("no longer watching: release %d of %s goes on. Look at it with `kurama releases %s`, end it with `kurama releases %s cancel`", r.Number, r.App, r.App, r.App)
	if !s.asksOnTerminal() {
		return goesOn
	}
	signal.Reset(os.Interrupt)
	answer, err := s.ask(fmt.Sprintf("\nRelease %d of %s goes on by itself. Cancel it? [y/N] ", r.Number, r.App), false)
	if err != nil || !strings.HasPrefix(strings.ToLower(answer), "y") {
		return goesOn
	}
	ctx, cancel := context.WithTimeout(context.Background(), cancelPatience)
	defer cancel()
	if err := s.cancel(ctx, r.App, r.Number); err != nil {
		return err
	}
	return exitError{1}
}

func releaseNumber(app, text string) (int, error) {
	number, err := strconv.Atoi(text)
	if err != nil || number < 1 {
		return 0, fmt.Errorf("%q is not the number of a release. `kurama releases %s` lists them", text, app)
	}
	return number, nil
}

func rollbackCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "rollback APP [RELEASE]", Short: "Go back to an earlier release",
		Example: "  kurama rollback hello        to the one before\n  kurama rollback hello 3", Args: cobra.RangeArgs(1, 2)},
		func(s *session, args []string) error {
			number := 0
			if len(args) == 2 {
				var err error
				if number, err = strconv.Atoi(args[1]); err != nil || number < 1 {
					return fmt.Errorf("%q is not the number of a release. `kurama releases %s` lists them", args[1], args[0])
				}
			}
			var release paas.Release
			if err := s.send("POST", appPath(args[0], "rollback"), map[string]int{"release": number}, &release); err != nil {
				return err
			}
			return s.follow(release, false)
		})
}
