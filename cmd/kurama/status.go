package main

import (
	"context"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/disk"
	"github.com/shirou/gopsutil/v3/mem"

	"kurama/internal/config"
	"kurama/internal/role"
	"kurama/paas/api"
)

// platformStatus asks every role how it does. The control plane and the
// dashboard listen on ports; who reads this has reached the former.
type platformStatus struct{ folders config.Folders }

// Status asks the roles and the host.
func (s platformStatus) Status(ctx context.Context) (api.PlatformStatus, error) {
	var st api.PlatformStatus
	for _, name := range role.Names {
		p := probe{socket: opsSocket(s.folders.Run, name)}
		switch name {
		case "router":
			p.socket = s.folders.Socket("router.sock")
		case "paas", "dashboard":
			continue
		}
		r := api.RoleStatus{Name: name, Ready: true, Detail: "ready"}
		if err := p.ask(ctx); err != nil {
			r.Ready, r.Detail = false, err.Error()
		}
		st.Roles = append(st.Roles, r)
	}
	st.Host = hostFigures(ctx, s.folders.Data)
	return st, nil
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
