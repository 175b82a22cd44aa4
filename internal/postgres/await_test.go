package postgres_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"kurama/internal/postgres"
)

func TestAwait(t *testing.T) {
	t.Run("waits for a server that does not answer until its context ends", func(t *testing.T) {
		var said strings.Builder
		ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
		defer cancel()
		_, err := postgres.Await(ctx, postgres.SocketDSN(t.TempDir(), "nobody", "none"), 2, slog.New(slog.NewTextHandler(&said, nil)))
		if !errors.Is(err, context.DeadlineExceeded) || strings.Count(said.String(), "this role waits") != 1 {
			t.Errorf("the error is %v, it said %s", err, said.String())
		}
	})
	t.Run("does not wait with an address that cannot be read", func(t *testing.T) {
		if _, err := postgres.Await(t.Context(), "postgres://h:port/x", 2, slog.New(slog.DiscardHandler)); err == nil {
			t.Error("no error")
		}
	})
}
