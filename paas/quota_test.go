package paas

import (
	"errors"
	"testing"
)

func TestQuota(t *testing.T) {
	const mib = 1 << 20
	f := func(q, before, after Quota, want string) {
		t.Helper()
		err := q.Allow("acme", before, after)
		bad, ok := errors.AsType[*Invalid](err)
		if want == "" && err != nil || want != "" && (!ok || bad.Reason != want) {
			t.Errorf("got %v, not %q", err, want)
		}
	}
	q := Quota{Apps: 2, Replicas: 4, CPU: 2, Memory: 512 * mib}
	f(q, Quota{}, Quota{Apps: 2, Replicas: 4, CPU: 2, Memory: 512 * mib}, "")
	f(Quota{}, Quota{}, Quota{Apps: 1000, Replicas: 1000, CPU: 1000, Memory: 1 << 50}, "")
	f(q, Quota{Apps: 2}, Quota{Apps: 3}, "Tenant acme has 2 of 2 apps. Delete one that is not needed, or ask the platform's operator for more.")
	f(q, Quota{Replicas: 3}, Quota{Replicas: 5}, "Tenant acme would have 5 replicas, and its quota is 4. Scale an app down, or ask the platform's operator for more.")
	f(q, Quota{}, Quota{CPU: 2.5}, "The replicas of tenant acme would have 2.5 cores, and its quota is 2. Scale an app down, or ask the platform's operator for more.")
	f(q, Quota{}, Quota{Memory: 768 * mib}, "The replicas of tenant acme would have 768 MiB of memory, and its quota is 512 MiB. Scale an app down, or ask the platform's operator for more.")
	f(q, Quota{Apps: 9, Replicas: 9, CPU: 9, Memory: 1 << 40}, Quota{Apps: 9, Replicas: 8, CPU: 8, Memory: 1 << 39}, "") // a quota that was lowered lets shrink
	if (Quota{CPU: -1}).Check() == nil || q.Check() != nil {
		t.Error("negative numbers")
	}
}
