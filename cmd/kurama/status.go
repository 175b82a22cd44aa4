package main

import (
	"context"
	"net"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/disk"
	"github.com/shirou/gopsutil/v3/mem"

	"kurama/internal/config"
	"kurama/internal/role"
	"kurama/paas/api"
)

// platformStatus asks every role how it does.
type platformStatus struct {
	folders   config.Folders
	dashboard string // listen address
}

// Status asks the roles and the host.
func (s platformStatus) Status(ctx context.Context) (api.PlatformStatus, error) {
	var st api.PlatformStatus
	for _, name := range role.Names {
		r := api.RoleStatus{Name: name, Ready: true, Detail: "ready"}
		if err := s.ask(ctx, name); err != nil {
			r.Ready, r.Detail = false, err.Error()
		}
		st.Roles = append(st.Roles, r)
	}
	st.Host = hostFigures(ctx, s.folders.Data)
	return st, nil
}

// ask returns why a role is not ready.
func (s platformStatus) ask(ctx context.Context, name string) error {
	switch name {
	case "paas":
		return nil // it is answering
	case "router":
		return probe{socket: s.folders.Socket("router.sock")}.ask(ctx)
	case "dashboard":
		return probe{tcp: net.JoinHostPort("localhost", portOf(s.dashboard))}.ask(ctx)
	}
	return probe{socket: opsSocket(s.folders.Run, name)}.ask(ctx)
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
