package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"kurama/logship/record"
	"kurama/paas/api"
)

// Bounds of waiting for replicas.
const (
	lookEvery  = 200 * time.Millisecond
	restartFor = 5 * time.Minute
)

func restartCommand() *cobra.Command {
	var noWait bool
	cmd := &cobra.Command{Use: "restart APP", Short: "Replace all replicas of an app, without a gap",
		Example: "  kurama restart hello", Args: cobra.ExactArgs(1)}
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "do not wait until the new replicas serve")
	return asks(cmd, func(s *session, args []string) error {
		var before api.AppView
		if err := s.get(appPath(args[0]), nil, &before); err != nil {
			return err
		}
		began := time.Now()
		if err := s.send("POST", appPath(args[0], "restart"), nil, nil); err != nil {
			return err
		}
		after := before
		if !noWait && len(before.Replicas) > 0 {
			var err error
			if after, err = s.replaced(before, began); err != nil {
				return err
			}
		}
		return s.print(after, func() { s.done("%s restarted  %s", args[0], spoken(time.Since(began))) })
	})
}

// replaced waits until none of the replicas of before is left and as many as
// wanted are ready.
func (s *session) replaced(before api.AppView, began time.Time) (api.AppView, error) {
	old := map[string]bool{}
	for _, r := range before.Replicas {
		old[r.ID] = true
	}
	for deadline := time.Now().Add(restartFor); ; {
		var now api.AppView
		if err := s.get(appPath(before.Name), nil, &now); err != nil {
			return now, err
		}
		left := 0
		for _, r := range now.Replicas {
			if old[r.ID] {
				left++
			}
		}
		if left == 0 && now.Ready >= now.Desired {
			return now, nil
		}
		if why := s.restartFailed(before.Name, began); why != "" {
			return now, errors.New(why)
		}
		if time.Now().After(deadline) {
			return now, fmt.Errorf("%s has not restarted within %s: %d of %d replicas are new and ready. Look at `kurama logs %s`",
				before.Name, spoken(restartFor), now.Ready-left, now.Desired, before.Name)
		}
		select {
		case <-s.cmd.Context().Done():
			return now, s.cmd.Context().Err()
		case <-time.After(lookEvery):
		}
	}
}

// restartFailed returns what the platform told of a restart that failed since a
// time; empty where it told nothing. The records are the only place where that is.
func (s *session) restartFailed(app string, since time.Time) string {
	var page struct {
		Records []record.Record `json:"records"`
	}
	query := url.Values{"kind": {"event"}, "q": {"The restart failed"}, "limit": {"1"}, "from": {since.UTC().Format(time.RFC3339Nano)}}
	if err := s.get(appPath(app, "logs"), query, &page); err != nil || len(page.Records) == 0 {
		return "" // the replicas tell more than a search that does not work
	}
	return page.Records[0].Msg
}

func scaleCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "scale APP REPLICAS", Short: "Set the number of replicas; the autoscaler's bounds move where they are in the way",
		Example: "  kurama scale hello 3\n  kurama scale hello 0     stop it", Args: cobra.ExactArgs(2)},
		func(s *session, args []string) error {
			n, err := strconv.Atoi(args[1])
			if err != nil || n < 0 {
				return fmt.Errorf("%q is not a number of replicas: use 0 or more", args[1])
			}
			var said struct {
				Message string `json:"message"`
			}
			if err := s.send("PUT", appPath(args[0], "scale"), map[string]int{"replicas": n}, &said); err != nil {
				return err
			}
			return s.print(said, func() { s.done("%s", said.Message) })
		})
}
