package archive

import (
	"bytes"
	"context"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/internal/postgres/pgtest"
	"kurama/logship/pipeline"
	"kurama/logship/record"
	"kurama/paas"
	"kurama/paas/store"
	"kurama/services/alert"
	"kurama/services/persist"
	"kurama/services/sink"
	"kurama/services/sink/sinktest"
)

// TestAPipelineIsWhatRuns: what an app sets up holds for each service by
// itself, and a change of it while they run.
func TestAPipelineIsWhatRuns(t *testing.T) {
	b, pool := setup(t), pgtest.New(t)
	st := store.New(pool)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := pool.Exec(t.Context(), `INSERT INTO tenants (name) VALUES ('default')`)
	must(err)
	_, err = st.CreateApp(t.Context(), "default", "shop")
	must(err)
	gate := func(s paas.Service) *pipeline.Gate {
		g := pipeline.New(s, alert.CompileFilter)
		sinktest.Start(t, func(ctx context.Context) error { g.Follow(ctx, pool, sinktest.Log()); return nil })
		return g
	}
	kept, filed := gate(paas.ServicePersist), gate(paas.ServiceArchive)
	role, err := persist.New(config.Default().Persist, sink.Deps{Stream: b.stream, Pool: pool, Gate: kept, Log: sinktest.Log()})
	must(err)
	sinktest.Start(t, role.Run)
	files, err := New(b.cfg, b.dir, b.socket, sink.Deps{Stream: b.stream, Gate: filed, Log: sinktest.Log()})
	must(err)
	sinktest.Start(t, files.Run)

	must(st.SetPipeline(t.Context(), "default", "shop", "ann", paas.Pipeline{Persist: paas.Stage{Take: []paas.Branch{{When: "level > DEBUG"}}}, Archive: paas.Stage{RetentionDays: 2}}))
	sinktest.Eventually(t, "the gates have heard of it", func() bool {
		return filed.RetentionDays("default", "shop") == 2 && !kept.Takes(line("shop", record.LevelDebug, ""))
	})
	last := sinktest.Publish(t, b.stream, *line("shop", record.LevelDebug, "quiet"), *line("shop", record.LevelInfo, "loud"), *line("other", record.LevelDebug, "quiet"))
	sinktest.Eventually(t, "persist has read all", func() bool {
		at, err := sink.Position(t.Context(), pool, persist.Sink)
		return err == nil && at >= last
	})
	rows := func(app string) []record.Record {
		found, _, err := persist.NewQuery(pool).Logs(t.Context(), persist.Filter{Tenant: "default", App: app})
		must(err)
		return found
	}
	if shop := rows("shop"); len(shop) != 1 || shop[0].Msg != "loud" || len(rows("other")) != 1 {
		t.Errorf("Postgres has %+v of shop and %+v of other", shop, rows("other"))
	}
	filedAll := b.download(t, Request{Tenant: "default", App: "shop"})
	if bytes.Count(filedAll, []byte("\n")) != 2 {
		t.Errorf("the archive has\n%s", filedAll)
	}
}

// line is a log record of an app of the tenant default.
func line(app string, level record.Level, msg string) *record.Record {
	now := time.Now()
	return &record.Record{Time: now, ID: record.NewID(now), Kind: record.KindLog, Level: level, Tenant: "default", App: app, Replica: "r", Msg: msg}
}
