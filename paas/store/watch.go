package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Pauses between two attempts to reach a database that is away.
const (
	retryMin = 100 * time.Millisecond
	retryMax = 5 * time.Second
)

// Watch calls fn once it listens, after every write to an app or a release by
// any role, and after each reconnect, because what was written in between went
// unheard. It returns nil when ctx ends; a database that is away is tried
// again for ever. fn must not block for long: the next call waits for it.
func (s *Store) Watch(ctx context.Context, fn func()) error {
	pause := retryMin
	for {
		listening := s.listen(ctx, fn)
		if ctx.Err() != nil {
			return nil
		}
		if listening {
			pause = retryMin
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, retryMax)
	}
}

// listen holds a connection of its own, so that the pool's are all left to
// queries, until it breaks; it reports whether it ever listened.
func (s *Store) listen(ctx context.Context, fn func()) (listening bool) {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig.Copy())
	if err != nil {
		return false
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return false
	}
	for {
		fn()
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return true
		}
	}
}
