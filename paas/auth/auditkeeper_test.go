package auth_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/internal/postgres/pgtest"
	"kurama/paas/auth"
)

func TestTheAuditLogIsBoundOfEachTenant(t *testing.T) {
	pool, cfg := pgtest.New(t), config.Default().Console
	cfg.AuditRows = 5
	if _, err := pool.Exec(t.Context(), `INSERT INTO audit (at, tenant, who, via, address, action, status)
		SELECT now() - CASE WHEN n = 1 THEN interval '500 days' ELSE '0' END, tenant, n::text, '', '', 'sign-in', 401
		FROM generate_series(1, 40) n, (VALUES (''), ('acme'), ('bee')) t(tenant) WHERE tenant <> 'bee' OR n < 4`); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- auth.NewAuditKeeper(cfg, pool, slog.New(slog.DiscardHandler)).Run(ctx) }()
	const want = "nobody 5 from 36, acme 5 from 36, bee 2 from 2"
	var got string
	for deadline := time.Now().Add(20 * time.Second); got != want && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if err := pool.QueryRow(t.Context(), `SELECT string_agg(coalesce(nullif(tenant, ''), 'nobody') || ' ' || n || ' from ' || least, ', ' ORDER BY tenant COLLATE "C")
			FROM (SELECT tenant, count(*) AS n, min(who::int) AS least FROM audit GROUP BY tenant) t`).Scan(&got); err != nil {
			t.Fatal(err)
		}
	}
	if got != want {
		t.Errorf("kept %s, want %s", got, want)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
