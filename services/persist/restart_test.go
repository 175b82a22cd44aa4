package persist

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/internal/postgres"
	"kurama/services/sink"
	"kurama/services/sink/sinktest"
)

// A Postgres of the test's own goes away and comes back on the same folder.
func TestNothingIsLostWhilePostgresRestarts(t *testing.T) {
	dir := t.TempDir()
	start := func() (dsn string, stop func()) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		server, err := postgres.NewServer(ctx, config.Default().Database, filepath.Join(dir, "data"), filepath.Join(dir, "run"), sinktest.Log())
		if err != nil {
			t.Fatal(err)
		}
		stop = sinktest.Start(t, server.Run)
		if err := server.WaitReady(ctx); err != nil {
			t.Fatal(err)
		}
		return server.DSN(), stop
	}
	dsn, stop := start()
	if err := postgres.Migrate(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	pool, err := postgres.Open(t.Context(), dsn, 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	b := &bench{pool: pool, stream: sinktest.Stream(t), query: NewQuery(pool)}
	b.role = b.another(t, config.Default().Persist)
	sinktest.Start(t, b.role.Run)

	var last uint64
	send := func(from, to int) {
		for i := from; i < to; i++ {
			last = sinktest.Publish(t, b.stream, sinktest.Request("acme", "shop", i, time.Now()))
		}
	}
	send(0, 50)
	stop()
	send(50, 100)
	sinktest.Eventually(t, "the role tells that Postgres is away", func() bool { return b.role.meter.Trouble() != "" })
	start()
	send(100, 120)
	sinktest.Eventually(t, "everything is stored", func() bool {
		position, err := sink.Position(t.Context(), pool, Sink)
		return err == nil && position == last
	})
	if n := b.count(t, "true"); n != 120 || b.role.meter.Trouble() != "" {
		t.Errorf("%d records, want 120; trouble %q", n, b.role.meter.Trouble())
	}
}
