package main

import (
	"context"

	"kurama/logship"
	"kurama/logship/engine"
)

func newLogship(ctx context.Context, w *wiring) (runner, error) {
	instance, err := w.instance()
	if err != nil {
		return nil, err
	}
	docker, err := engine.New(w.cfg.Docker.Host, instance)
	if err != nil {
		return nil, err
	}
	w.onClose(func() { _ = docker.Close() })
	st, err := w.stream(ctx)
	if err != nil {
		return nil, err
	}
	ln, err := w.ops()
	if err != nil {
		return nil, err
	}
	return logship.New(w.cfg.Logship, logship.Options{RunDir: w.folders.Run, SpoolDir: w.folders.Sub("spool"), Limits: w.folders.Sub(logLimitsName), Stream: st,
		Engine: docker, Listener: ln, Log: w.log})
}
