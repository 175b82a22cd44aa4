package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"kurama/internal/health"
	"kurama/logship/stream"
)

// streamRole serves the stream's readiness beside the stream itself.
type streamRole struct {
	server *stream.Server // nil where the stream is an external one
	ln     net.Listener
	w      *wiring
}

func newStream(ctx context.Context, w *wiring) (runner, error) {
	ln, err := w.ops()
	if err != nil || w.cfg.Stream.URL != "" {
		return streamRole{ln: ln, w: w}, err
	}
	token, err := w.folders.StreamToken()
	if err != nil {
		return nil, err
	}
	if err := stream.AwaitRoom(ctx, w.folders.Sub("stream"), w.log); err != nil {
		return nil, err
	}
	server, err := stream.NewServer(w.cfg.Stream, w.folders.Sub("stream"), token, w.log)
	if err != nil {
		return nil, err
	}
	// Made here once: several roles that find it missing would all reserve its space at the same time.
	if err := w.makeStream(ctx, server.URL(), token); err != nil {
		stopped, cancel := context.WithCancel(ctx)
		cancel()
		return nil, errors.Join(err, server.Run(stopped))
	}
	return streamRole{server: server, ln: ln, w: w}, nil
}

func (w *wiring) makeStream(ctx context.Context, url, token string) error {
	st, err := stream.Connect(ctx, w.cfg.Stream, url, token, w.log)
	if err != nil {
		return err
	}
	defer st.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		_, _, err := st.Bounds(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("making the stream: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Run serves until ctx ends. An external stream is only told of.
func (s streamRole) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- health.Serve(ctx, s.ln, health.Page(s.healthy, nil)) }()
	defer func() { cancel(); <-done }()
	if s.server == nil {
		s.w.log.Info("the stream is an external one; nothing to do here")
		<-ctx.Done()
		return nil
	}
	return s.server.Run(ctx)
}

func (s streamRole) healthy() error {
	if s.server == nil {
		return nil
	}
	return s.server.Healthy()
}
