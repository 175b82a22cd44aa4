package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"kurama/paas"
	"kurama/paas/api"
)

func canaryCommand() *cobra.Command {
	var share int
	var promote, end bool
	cmd := &cobra.Command{Use: "canary APP", Short: "A release that gets a share of the clients before it goes live",
		Long: `Shows the canary of an app, changes its share, makes it the live release, or ends it. A canary comes
from ` + "`kurama deploy --canary N`" + `. A client keeps what it got, by a cookie; ` + "`kurama releases APP diff`" + ` shows how it does beside the live release.`,
		Example: `  kurama deploy . --canary 10
  kurama canary shop --share 50
  kurama canary shop --promote
  kurama canary shop --end`, Args: cobra.ExactArgs(1)}
	cmd.Flags().IntVar(&share, "share", 0, "percent of the clients, 1 to 99")
	cmd.Flags().BoolVar(&promote, "promote", false, "make it the live release")
	cmd.Flags().BoolVar(&end, "end", false, "take it out of the requests")
	cmd.MarkFlagsMutuallyExclusive("share", "promote", "end")
	return asks(cmd, func(s *session, args []string) error {
		path := appPath(args[0], "canary")
		switch {
		case promote:
			return s.promote(args[0], path)
		case end:
			if err := s.send("DELETE", path, nil, nil); err != nil {
				return err
			}
			s.done("the canary of %s is ended", args[0])
			return nil
		case cmd.Flags().Changed("share"):
			if err := s.send("PUT", path, map[string]int{"share": share}, nil); err != nil {
				return err
			}
		}
		var view api.AppView
		if err := s.get(appPath(args[0]), nil, &view); err != nil {
			return err
		}
		return s.print(view.Canary, func() {
			if view.Canary.Release == 0 {
				s.say("%s has no canary: release %d gets all clients", args[0], view.Release)
				return
			}
			s.done("release %d gets %d %% of the clients, release %d the others", view.Canary.Release, view.Canary.Share, view.Release)
		})
	})
}

// promoteFor bounds the wait for a canary to go live.
const promoteFor = 10 * time.Minute

// promote makes the canary live and waits until it is.
func (s *session) promote(app, path string) error {
	var release paas.Release
	if err := s.send("POST", path+"/promote", nil, &release); err != nil {
		return err
	}
	began := time.Now()
	for deadline := began.Add(promoteFor); time.Now().Before(deadline); {
		var view api.AppView
		if err := s.get(appPath(app), nil, &view); err != nil {
			return err
		}
		if view.Release >= release.Number {
			return s.print(view, func() { s.done("release %d is live  %s", release.Number, spoken(time.Since(began))) })
		}
		select {
		case <-s.cmd.Context().Done():
			return s.cmd.Context().Err()
		case <-time.After(lookEvery):
		}
	}
	return errors.New("the canary is not live yet. Its build log says why: `kurama releases " + app + "`")
}
