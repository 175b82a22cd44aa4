package runtime

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"kurama/paas"
)

// burner uses as many cores as it gets.
const burner = `
import os
for _ in range(3):
    if os.fork() == 0: break
while True: pass
`

// used returns the CPU time that all containers of a tenant have taken.
func used(t *testing.T, e *Engine, tenant string) time.Duration {
	t.Helper()
	text, err := os.ReadFile(groups + "/cpuacct/" + e.shareName(tenant) + "/cpuacct.usage")
	if err == nil {
		n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return time.Duration(n)
	}
	text, again := os.ReadFile(groups + "/" + e.shareName(tenant) + "/cpu.stat")
	var micros int64
	if _, scanned := fmt.Sscanf(string(text), "usage_usec %d", &micros); again != nil || scanned != nil {
		t.Fatal(errors.Join(err, again, scanned))
	}
	return time.Duration(micros) * time.Microsecond
}

func TestFairShares(t *testing.T) {
	e, spec := setup(t, map[string]string{"server.py": burner})
	if e.shareName(buildNetwork) == e.shareName("build") {
		t.Error("a tenant called build has the control group of builds")
	}
	spec.Limits.CPU = 2
	start := func(tenant, replica string) {
		t.Helper()
		spec.Tenant, spec.Replica = tenant, replica
		if _, err := e.Start(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
	}
	start("modest", "web-1-aaaaaa")
	for _, r := range []string{"bbbbbb", "cccccc", "dddddd", "eeeeee"} {
		start("greedy", "web-1-"+r)
	}
	// settles measures what modest gets of what both get until it lies within the bounds. The kernel is fair between groups only once it has moved
	// their processes over the cores, which takes it a while on a host on which others work too; with wrong weights it never comes to that.
	settles := func(least, most float64) error {
		for deadline := time.Now().Add(30 * time.Second); ; {
			modest, greedy := used(t, e, "modest"), used(t, e, "greedy")
			time.Sleep(2 * time.Second)
			m, g := used(t, e, "modest")-modest, used(t, e, "greedy")-greedy
			part := m.Seconds() / (m + g).Seconds()
			if part >= least && part <= most {
				return nil
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("it gets %.2f of them (%s, the other %s), not %.2f to %.2f", part, m, g, least, most)
			}
		}
	}
	t.Run("a tenant with one replica gets as much of the busy cores as one with four", func(t *testing.T) {
		if err := settles(0.4, 0.6); err != nil {
			t.Error(err)
		}
	})
	t.Run("an operator can give one more", func(t *testing.T) {
		policies := &walls{tenant: "modest"}
		policies.set(paas.Wall{CPUWeight: 400})
		e.opts.Walls = policies
		if err := e.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := settles(0.68, 0.92); err != nil {
			t.Errorf("with four times the weight %v", err)
		}
		policies.set(paas.Wall{})
		if err := e.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := settles(0.4, 0.6); err != nil {
			t.Errorf("with the usual weight again %v", err)
		}
	})
	t.Run("nothing of it is left when the installation goes", func(t *testing.T) {
		if err := e.Teardown(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, tenant := range []string{"modest", "greedy"} {
			for _, controller := range []string{"cpu", "memory", "pids", "."} {
				if _, err := os.Stat(groups + "/" + controller + "/" + e.shareName(tenant)); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("the control group of %s is left in %s: %v", tenant, controller, err)
				}
			}
		}
	})
}
