package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"time"

	"kurama/internal/config"
	"kurama/logship"
	"kurama/paas/runtime"
	"kurama/paas/store"
)

// logLimitsName is the file of the data folder that tells the agent what
// tenants may log.
const logLimitsName = "log-limits.json"

// boundsEvery is the time between two looks at what is stored of the bounds,
// should somebody have changed it behind the API's back.
const boundsEvery = 10 * time.Second

// tenantBounds keeps what is stored of tenants' walls and bounds in force where
// they are held: in the packet filter, the control groups and the agent.
type tenantBounds struct {
	*runtime.Engine
	store   *store.Store
	folders config.Folders
	normal  int64 // bytes of log a day, of tenants without a quota of their own
	log     *slog.Logger
}

// Run returns nil when ctx ends.
func (b tenantBounds) Run(ctx context.Context) error {
	guarded := make(chan error, 1)
	go func() { guarded <- b.Guard(ctx) }()
	tick := time.NewTicker(boundsEvery)
	defer tick.Stop()
	for told := false; ; {
		err := b.writeLogLimits(ctx)
		if err != nil && !told && ctx.Err() == nil {
			b.log.Error("the agent is not told what tenants may log", "error", err)
		}
		told = err != nil
		select {
		case <-ctx.Done():
			return <-guarded
		case <-tick.C:
		}
	}
}

// Refresh puts all of it in force.
func (b tenantBounds) Refresh(ctx context.Context) error {
	if err := b.writeLogLimits(ctx); err != nil {
		return err
	}
	return b.Engine.Refresh(ctx)
}

func (b tenantBounds) writeLogLimits(ctx context.Context) error {
	own, err := b.store.LogLimits(ctx)
	if err != nil {
		return err
	}
	text, err := json.Marshal(logship.LogLimits{Default: b.normal, Tenants: own})
	if err != nil {
		return err
	}
	path := b.folders.Sub(logLimitsName)
	if before, err := os.ReadFile(path); err == nil && bytes.Equal(before, text) {
		return nil
	}
	temp := path + ".tmp"
	if err := os.WriteFile(temp, text, 0o644); err != nil {
		return fmt.Errorf("bounds of the log: %w", err)
	}
	return os.Rename(temp, path)
}

// Logged returns what a tenant's apps have logged today, as the agent of this
// host counts it.
func (b tenantBounds) Logged(tenant string) (bytes, dropped int64, err error) {
	found, err := logship.ReadLogged(b.folders.Sub("spool"))
	one := found.Tenants[tenant]
	return one.Bytes, one.Dropped, err
}
