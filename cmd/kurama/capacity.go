package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/shirou/gopsutil/v3/mem"

	"kurama/paas/api"
	"kurama/services/persist"
)

// hostsSpan is how far back a host's last figures may lie for it to be shown.
const hostsSpan = 5 * time.Minute

// Capacity returns what there is, what is asked for, and the hosts as the
// agents told of them last.
func (s platformStatus) Capacity(ctx context.Context) (api.PlatformCapacity, error) {
	c := api.PlatformCapacity{Cores: runtime.NumCPU()}
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return c, fmt.Errorf("asking for the memory of the host: %w", err)
	}
	c.Memory = int64(m.Total)
	if c.Tenants, err = s.store.Asked(ctx); err != nil {
		return c, err
	}
	now := time.Now().UTC()
	samples, err := s.records.Samples(ctx, persist.Span{From: now.Add(-hostsSpan), To: now, Step: 10 * time.Second})
	if err != nil {
		return c, err
	}
	at := map[string]int{}
	for _, x := range samples { // oldest first: the last one stays
		i, known := at[x.Replica]
		if !known {
			i = len(c.Hosts)
			at[x.Replica], c.Hosts = i, append(c.Hosts, api.HostState{})
		}
		c.Hosts[i] = api.HostState{Name: x.Replica, At: x.At, HostFigures: api.HostFigures{CPU: orNil(x.CPU), Mem: orNil(x.Mem), Disk: orNil(x.Disk), Swap: orNil(x.Swap)}}
	}
	return c, nil
}
