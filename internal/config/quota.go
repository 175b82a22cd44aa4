package config

import "kurama/paas"

// Bounds returns the quota in the platform's own form.
func (q Quota) Bounds() paas.Quota {
	return paas.Quota{Apps: q.Apps, Replicas: q.Replicas, CPU: q.CPU, Memory: int64(q.Memory),
		Disk: int64(q.Disk), BuildMinutes: q.BuildMinutes, LogBytes: int64(q.LogBytes)}
}
