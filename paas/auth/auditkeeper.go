package auth

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/config"
)

// pruneEvery is the time between two looks at what the audit log has too much.
const pruneEvery = 10 * time.Minute

// AuditKeeper keeps the audit log within its bounds: console.audit_age, and
// console.audit_rows of each tenant, so that nobody can push another's out.
type AuditKeeper struct {
	cfg  config.Console
	pool *pgxpool.Pool
	log  *slog.Logger
}

// NewAuditKeeper returns a keeper over a pool of the owner of the tables.
func NewAuditKeeper(cfg config.Console, pool *pgxpool.Pool, log *slog.Logger) *AuditKeeper {
	return &AuditKeeper{cfg: cfg, pool: pool, log: log}
}

// Run forgets, at once and then every ten minutes. It returns nil when ctx
// ends.
func (k *AuditKeeper) Run(ctx context.Context) error {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for failing := false; ; {
		err := k.forget(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			k.log.Warn("the audit log grows beyond its bounds", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// forgetMany walks the tenants by the index, instead of reading each line.
const forgetMany = `WITH RECURSIVE named AS (
		SELECT min(tenant) AS tenant FROM audit
		UNION ALL SELECT (SELECT min(a.tenant) FROM audit a WHERE a.tenant > named.tenant) FROM named WHERE named.tenant IS NOT NULL),
	last AS (SELECT n.tenant, (SELECT a.id FROM audit a WHERE a.tenant = n.tenant ORDER BY a.id DESC OFFSET $1 LIMIT 1) AS id
		FROM named n WHERE n.tenant IS NOT NULL)
	DELETE FROM audit USING last WHERE audit.tenant = last.tenant AND audit.id <= last.id`

func (k *AuditKeeper) forget(ctx context.Context) error {
	if _, err := k.pool.Exec(ctx, `DELETE FROM audit WHERE at < $1`, time.Now().Add(-k.cfg.AuditAge)); err != nil {
		return fmt.Errorf("forgetting old deeds: %w", err)
	}
	if _, err := k.pool.Exec(ctx, forgetMany, k.cfg.AuditRows); err != nil {
		return fmt.Errorf("forgetting deeds above %d of a tenant: %w", k.cfg.AuditRows, err)
	}
	return nil
}
