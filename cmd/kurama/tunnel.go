package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/spf13/cobra"

	"kurama/paas"
)

func tunnelCommand() *cobra.Command {
	var listen string
	cmd := &cobra.Command{Use: "tunnel APP", Short: "Make the database of an app an address of this machine, until Ctrl-C", Args: cobra.ExactArgs(1)}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:5433", "where to listen")
	return asks(cmd, func(s *session, args []string) error {
		address, err := s.databaseURL(args[0])
		if err != nil {
			return err
		}
		stop, err := s.tunnel(s.cmd.Context(), args[0], "tcp", listen)
		if err != nil {
			return err
		}
		defer stop()
		address.Host, address.RawQuery = listen, ""
		s.say("The database of %s answers here until Ctrl-C:", args[0])
		_, _ = fmt.Fprintln(s.out, address)
		<-s.cmd.Context().Done()
		return nil
	})
}

// tunnel listens on an address of this machine and carries each connection to
// the database of an app, until stop is called; ctx ends those that are open.
func (s *session) tunnel(ctx context.Context, app, network, address string) (stop func(), err error) {
	listener, err := net.Listen(network, address)
	if err != nil {
		return nil, fmt.Errorf("the tunnel cannot listen on %s: %w", address, err)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer func() { _ = conn.Close() }()
				end, err := s.Attach(ctx, appPath(app, "database", "tunnel"), nil, paas.Streams{In: conn, Out: conn, Err: io.Discard})
				if end.Error != "" {
					err = errors.New(end.Error)
				}
				if err != nil && ctx.Err() == nil {
					s.say("kurama: %v", err)
				}
			})
		}
	})
	return func() { _ = listener.Close(); open.Wait() }, nil
}
