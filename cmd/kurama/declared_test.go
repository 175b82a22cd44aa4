package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kurama/internal/config"
	"kurama/internal/postgres/pgtest"
	"kurama/paas"
	"kurama/paas/auth"
	"kurama/paas/store"
	"kurama/services/alert"
	"kurama/services/archive"
)

func TestADeploysPipelineIsADeedAndDeletesNoArchive(t *testing.T) {
	pool, cfg, data := pgtest.New(t), config.Default(), t.TempDir()
	apps := store.New(pool)
	_, err := pool.Exec(t.Context(), "INSERT INTO tenants (name) VALUES ('default') ON CONFLICT DO NOTHING")
	must(t, err)
	_, err = apps.CreateApp(t.Context(), "default", "shop")
	must(t, err)
	accounts := auth.New(cfg.Console, pool)
	log := slog.New(slog.DiscardHandler)
	p := declared{pipelines{store: apps, rules: alert.NewRules(pool, cfg.Alert, cfg.SMTP, ""), archive: archiveQuery{archive.NewReader(data, "", log), cfg.Archive}}, accounts, log}
	next := paas.Pipeline{Archive: paas.Stage{RetentionDays: 30}}
	must(t, p.CheckArchive(t.Context(), "default", "shop", next)) // nothing is in it

	must(t, os.MkdirAll(filepath.Join(data, "default", "shop"), 0o700))
	must(t, os.WriteFile(filepath.Join(data, "default", "shop", "manifest.json"), []byte(`{"version":1,"files":[{"name":"2026-11-01/1-9.jsonl.zst"}]}`), 0o600))
	if err := p.CheckArchive(t.Context(), "default", "shop", next); err == nil || !strings.Contains(err.Error(), "for 30 days, shorter than the 90 days") {
		t.Errorf("a shorter time gives %v", err)
	}
	must(t, p.SetPipeline(t.Context(), "default", "shop", "ann", next)) // as an owner may
	must(t, p.CheckArchive(t.Context(), "default", "shop", next))
	deeds, err := accounts.Deeds(t.Context(), paas.DeedFilter{Tenant: "default", Action: "set-pipeline"})
	if err != nil || len(deeds) != 1 || deeds[0].Who != "ann" || deeds[0].App != "shop" {
		t.Errorf("noted are %+v, %v", deeds, err)
	}
}
