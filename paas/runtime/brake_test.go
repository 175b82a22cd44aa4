package runtime

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestABrake(t *testing.T) {
	const rate = 2 << 20
	for _, wants := range []float64{2, 10, 100} { // times the rate
		b, wrote, late := newFlood(rate), 0.0, 0.0
		for n := range 200 { // 20 s
			did := wants * rate * b.part * lookEvery.Seconds()
			b.look(did, lookEvery)
			if wrote += did; n >= 100 {
				late += did
			}
		}
		if late > 1.5*10*rate || late < 0.3*10*rate {
			t.Errorf("who wants %g times as much as it may writes %.2f times as much in the end", wants, late/10/rate)
		}
		for range 100 {
			b.look(0, lookEvery)
		}
		if b.part != 1 {
			t.Errorf("ten seconds after it has stopped it has %.2f of its CPU", b.part)
		}
	}
	t.Run("a burst is no flood", func(t *testing.T) {
		b := newFlood(rate)
		b.look(3*rate, lookEvery)
		if b.part != 1 {
			t.Errorf("it is left %.2f of its CPU", b.part)
		}
	})
	t.Run("what was written slowly while nobody looked is no flood, nor is what follows", func(t *testing.T) {
		b := newFlood(rate)
		b.look(600*rate/40, 10*time.Minute)
		b.look(rate/5, lookEvery)
		if b.part != 1 {
			t.Errorf("it is left %.2f of its CPU", b.part)
		}
	})
	t.Run("a flood is slowed within tenths of a second", func(t *testing.T) {
		b := newFlood(rate)
		for range 5 {
			b.look(40*rate*b.part*lookEvery.Seconds(), lookEvery)
		}
		if b.part > 0.05 {
			t.Errorf("it is left %.2f of its CPU", b.part)
		}
	})
	t.Run("without a bound nothing is slowed", func(t *testing.T) {
		b := newFlood(0)
		b.look(1e12, lookEvery)
		if b.part != 1 {
			t.Errorf("it is left %.2f", b.part)
		}
	})
}

func TestGrowthAcrossRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "json.log")
	put := func(path string, size int) {
		t.Helper()
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(path+from, path+to); err != nil {
			t.Fatal(err)
		}
	}
	g := growth{path: path}
	steps := []struct {
		what string
		do   func()
		want int64
	}{
		{"no file", func() {}, 0},
		{"the first look", func() { put(path, 500) }, 0},
		{"more in the same file", func() { put(path, 700) }, 200},
		{"nothing", func() {}, 0},
		{"one rotation", func() { put(path, 1000); move("", ".1"); put(path, 50) }, 350},
		{"two rotations", func() { move(".1", ".2"); put(path, 1000); move("", ".1"); put(path, 10) }, 960},
		{"the file is away for a moment", func() { move("", ".away") }, 0},
		{"it was removed and made anew", func() { put(path, 30) }, 30 + 1000 + 1000},
	}
	_ = os.Remove(path)
	for _, s := range steps {
		s.do()
		if got := g.since(); got != s.want {
			t.Errorf("%s: %d bytes, not %d", s.what, got, s.want)
		}
	}
}

func TestBothVersionsOfControlGroups(t *testing.T) {
	put := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	one, two := t.TempDir(), t.TempDir()
	put(one+"/cpuacct/g/cpuacct.usage", "1500000000\n")
	put(one+"/cpu/g/cgroup.procs", "")
	put(two+"/cgroup.controllers", "cpu memory\n")
	put(two+"/g/cpu.stat", "usage_usec 1500000\nuser_usec 1\n")
	put(two+"/g/cgroup.procs", "")
	for _, c := range []struct {
		root, weight, weightFile, bound, boundFile string
	}{
		{one, "512", "cpu/g/cpu.shares", "50000", "cpu/g/cpu.cfs_quota_us"},
		{two, "50", "g/cpu.weight", "50000 100000", "g/cpu.max"},
	} {
		k := findKernel(c.root)
		if used, err := k.used("g"); err != nil || used != 1500*time.Millisecond {
			t.Errorf("%s: used %s, %v", c.weightFile, used, err)
		}
		if found := k.below("", "g*"); len(found) != 1 || found[0] != "g" {
			t.Errorf("%s: groups %v", c.weightFile, found)
		}
		if err := k.weigh("g", 50); err != nil {
			t.Error(err)
		}
		if err := k.bound("g", 0.5); err != nil {
			t.Error(err)
		}
		for file, want := range map[string]string{c.weightFile: c.weight, c.boundFile: c.bound} {
			if text, err := os.ReadFile(filepath.Join(c.root, file)); err != nil || string(text) != want {
				t.Errorf("%s holds %q (%v), not %q", file, text, err, want)
			}
		}
	}
}
