package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"time"
)

// Bounds of a connection. There is none for a whole request or answer: uploads
// and logs that are followed last as long as they move, and each watches that
// by itself.
const (
	headerPatience = 10 * time.Second
	idlePatience   = 2 * time.Minute
	stopPatience   = 10 * time.Second
	maxHeader      = 64 << 10
)

// Run serves until ctx ends, then lets the requests under way end, for ten
// seconds at the most, and returns nil. Logs that are followed end at once.
func (a *API) Run(ctx context.Context) error {
	srv := &http.Server{Handler: a.handler, ReadHeaderTimeout: headerPatience, IdleTimeout: idlePatience,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug)}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(a.deps.Listener) }()
	a.log.Info("console and API serve", "address", a.deps.Listener.Addr().String())
	select {
	case err := <-served:
		a.stop()
		return fmt.Errorf("serving the API: %w", err)
	case <-ctx.Done():
	}
	a.stop()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	if err := srv.Shutdown(stopping); err != nil {
		a.log.Warn("requests were cut off by the stop", "err", err)
		_ = srv.Close()
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the API: %w", err)
	}
	return nil
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // the caller is gone if this fails
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }
