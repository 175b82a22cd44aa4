package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/disk"
	"github.com/shirou/gopsutil/v3/mem"

	"kurama/internal/config"
	"kurama/internal/role"
	"kurama/paas"
	"kurama/paas/api"
	"kurama/paas/store"
	"kurama/services/persist"
)

// platformStatus asks every role how it does.
type platformStatus struct {
	folders   config.Folders
	secure    bool   // the console and the dashboard speak TLS
	console   string // listen addresses
	dashboard string

	store   *store.Store   // of all tenants; with records for Capacity alone
	records *persist.Query // of all tenants
}

// Status asks the roles, all at once, and the host.
func (s platformStatus) Status(ctx context.Context) (api.PlatformStatus, error) {
	st := api.PlatformStatus{Roles: make([]api.RoleStatus, len(role.Names))}
	var all sync.WaitGroup
	for i, name := range role.Names {
		all.Go(func() { st.Roles[i] = s.role(ctx, name) })
	}
	all.Wait()
	st.Host = hostFigures(ctx, s.folders.Data)
	return st, nil
}

// role asks one role whether it is ready and what it has done.
func (s platformStatus) role(ctx context.Context, name string) api.RoleStatus {
	r := api.RoleStatus{Name: name, Ready: true, Detail: "ready"}
	if name == "paas" {
		return r // it is answering
	}
	p := s.probe(name)
	if err := p.ask(ctx); err != nil {
		r.Ready, r.Detail = false, err.Error()
		return r
	}
	if page, err := p.get(ctx, "/metrics"); err == nil { // without them it is ready all the same
		defer func() { _ = page.Close() }()
		readFigures(page, &r)
	}
	return r
}

// Metrics returns the figures of a role.
func (s platformStatus) Metrics(ctx context.Context, name string) (io.ReadCloser, error) {
	if !slices.Contains(role.Names, name) {
		return nil, fmt.Errorf("role %s: %w", name, paas.ErrNotFound)
	}
	page, err := s.probe(name).get(ctx, "/metrics")
	if err != nil {
		return nil, &paas.Invalid{Reason: fmt.Sprintf("The role %s has no figures now: %v.", name, err)}
	}
	return page, nil
}

func (s platformStatus) probe(name string) probe {
	switch name {
	case "paas":
		return probe{tcp: net.JoinHostPort("localhost", portOf(s.console)), secure: s.secure}
	case "router":
		return probe{socket: s.folders.Socket("router.sock")}
	case "dashboard":
		return probe{tcp: net.JoinHostPort("localhost", portOf(s.dashboard)), secure: s.secure}
	}
	return probe{socket: opsSocket(s.folders.Run, name)}
}

// hostFigures reads the host's figures; one that cannot be read stays null.
func hostFigures(ctx context.Context, data string) api.HostFigures {
	var f api.HostFigures
	if used, err := cpu.PercentWithContext(ctx, 0, false); err == nil && len(used) == 1 {
		f.CPU = &used[0]
	}
	if m, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		f.Mem = &m.UsedPercent
	}
	if sw, err := mem.SwapMemoryWithContext(ctx); err == nil && sw.Total > 0 {
		f.Swap = &sw.UsedPercent
	}
	if d, err := disk.UsageWithContext(ctx, data); err == nil {
		f.Disk = &d.UsedPercent
	}
	return f
}
