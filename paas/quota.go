package paas

import "fmt"

// Quota bounds what the apps of a tenant may ask for together; 0 is no bound.
// The same figures say what they do ask for.
type Quota struct {
	Apps     int     `json:"apps"`
	Replicas int     `json:"replicas"`              // wanted, with a canary's; those that a deploy replaces are not counted twice
	CPU      float64 `json:"cpu"`                   // cores, over the replicas
	Memory   int64   `json:"memory"`                // bytes, over the replicas
	Disk     int64   `json:"disk" required:"false"` // bytes of writable space, over the replicas, and of volumes and databases

	// BuildMinutes bounds what installing dependencies took in the last 24 hours.
	BuildMinutes float64 `json:"build_minutes" required:"false"`

	// LogBytes bounds what apps say in their log in a day (UTC); the agent drops what is beyond.
	LogBytes int64 `json:"log_bytes" required:"false"`

	// CPUWeight is the tenant's part of the cores beside others while all are busy; 0 is DefaultCPUWeight. It bounds nothing.
	CPUWeight int `json:"cpu_weight" required:"false" minimum:"0" maximum:"10000"`
}

// Check returns *Invalid where q cannot be a quota.
func (q Quota) Check() error {
	if q.Apps < 0 || q.Replicas < 0 || q.CPU < 0 || q.Memory < 0 || q.Disk < 0 || q.BuildMinutes < 0 || q.LogBytes < 0 || q.CPUWeight < 0 {
		return &Invalid{Reason: "a quota has no negative numbers: 0 stands for no bound"}
	}
	return nil
}

// Allow returns *Invalid with what to do when a change takes the use of a
// tenant from before to after and beyond q. What is beyond it already may stay
// and shrink.
func (q Quota) Allow(tenant string, before, after Quota) error {
	const ask = "or ask the platform's operator for more."
	switch {
	case q.Apps > 0 && after.Apps > q.Apps && after.Apps > before.Apps:
		return &Invalid{Reason: fmt.Sprintf("Tenant %s has %d of %d apps. Delete one that is not needed, %s", tenant, before.Apps, q.Apps, ask)}
	case q.Replicas > 0 && after.Replicas > q.Replicas && after.Replicas > before.Replicas:
		return &Invalid{Reason: fmt.Sprintf("Tenant %s would have %d replicas, and its quota is %d. Scale an app down, %s", tenant, after.Replicas, q.Replicas, ask)}
	case q.CPU > 0 && after.CPU > q.CPU && after.CPU > before.CPU:
		return &Invalid{Reason: fmt.Sprintf("The replicas of tenant %s would have %g cores, and its quota is %g. Scale an app down, %s", tenant, after.CPU, q.CPU, ask)}
	case q.Memory > 0 && after.Memory > q.Memory && after.Memory > before.Memory:
		return &Invalid{Reason: fmt.Sprintf("The replicas of tenant %s would have %s of memory, and its quota is %s. Scale an app down, %s",
			tenant, mebibytes(after.Memory), mebibytes(q.Memory), ask)}
	case q.Disk > 0 && after.Disk > q.Disk && after.Disk > before.Disk:
		return &Invalid{Reason: fmt.Sprintf("Replicas, volumes and databases of tenant %s would have %s of disk, and its quota is %s. Remove a volume or scale an app down, %s",
			tenant, mebibytes(after.Disk), mebibytes(q.Disk), ask)}
	}
	return nil
}

// AllowBuild returns *Invalid when a tenant's builds have used up their minutes.
func (q Quota) AllowBuild(tenant string, use Quota) error {
	if q.BuildMinutes > 0 && use.BuildMinutes >= q.BuildMinutes {
		return &Invalid{Reason: fmt.Sprintf("Builds of tenant %s took %.1f minutes in the last 24 hours, and its quota is %g. Wait, or roll back to an earlier release, or ask the platform's operator for more.",
			tenant, use.BuildMinutes, q.BuildMinutes)}
	}
	return nil
}

func mebibytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }
