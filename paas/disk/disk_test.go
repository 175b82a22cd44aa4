package disk

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kurama/internal/config"
	"kurama/paas"
)

func TestGuard(t *testing.T) {
	data := t.TempDir()
	write := func(name string, size int) {
		t.Helper()
		path := filepath.Join(data, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Repeat("x", size)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("releases/acme/shop/1/app.py", 1<<20)
	write("releases/bee/hello/1/app.py", 2<<20)
	if err := os.MkdirAll(filepath.Join(data, "releases/acme/shop/2"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(data, "releases/acme/shop/1/app.py"), filepath.Join(data, "releases/acme/shop/2/app.py")); err != nil {
		t.Fatal(err)
	}
	write("archive/acme/shop/1.zst", 1<<20)
	write("wheels/acme/flask.whl", 1<<20)
	write("archive/_host/_host/1.zst", 1<<20)
	write("layers/abc/lib.py", 3<<20)
	write("volumes/acme/shop/data.img", 0)
	if err := os.Truncate(filepath.Join(data, "volumes/acme/shop/data.img"), 1<<30); err != nil {
		t.Fatal(err)
	}
	guard := func(refuse, warn config.Bytes) *Guard {
		cfg := config.Default().Disk
		cfg.Refuse, cfg.Warn = refuse, warn
		return New(cfg, data, slog.New(slog.DiscardHandler))
	}
	near := func(got, want int64) bool { return got >= want && got < want+64<<10 } // folders take some
	t.Run("counts what each tenant takes: links once, holes not", func(t *testing.T) {
		r, err := guard(1, 1).Report(t.Context())
		if err != nil || len(r.Tenants) != 2 {
			t.Fatalf("got %+v, %v", r, err)
		}
		for _, u := range r.Tenants {
			switch {
			case u.Tenant == "acme" && near(u.Releases, 1<<20) && near(u.Archive, 1<<20) && near(u.Volumes, 0) && near(u.Wheels, 1<<20) && near(u.Total, 3<<20):
			case u.Tenant == "bee" && near(u.Releases, 2<<20) && near(u.Total, 2<<20):
			default:
				t.Errorf("got %+v", u)
			}
		}
		if r.Shared["wheels"] != 0 || !near(r.Shared["layers"], 3<<20) || !near(r.Shared["archive"], 1<<20) || r.Free <= 0 || r.Size < r.Free || r.Says != "" {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("warns before it refuses", func(t *testing.T) {
		g := guard(1, 1<<60)
		if r, err := g.Report(t.Context()); err != nil || !strings.Contains(r.Says, "less than disk.warn") {
			t.Errorf("got %q, %v", r.Says, err)
		}
		if err := g.Room(); err != nil {
			t.Errorf("got %v", err)
		}
	})
	t.Run("collects when the disk gets low and each hour while it is, and counts what only others know", func(t *testing.T) {
		k := &keeper{}
		g := guard(1, 1<<60).With(k)
		for _, wanted := range []int{1, 2} {
			for range 3 {
				if g.look() {
					g.relieve(t.Context())
				}
			}
			if k.collected != wanted {
				t.Errorf("collected %d times, not %d", k.collected, wanted)
			}
			g.relieved = g.relieved.Add(-relieveEvery)
		}
		r, err := g.Report(t.Context())
		if err != nil || r.Spare != 7 {
			t.Fatalf("got %+v, %v", r, err)
		}
		for _, u := range r.Tenants {
			if !near(u.Layers, 3<<20) || u.Tenant == "acme" && (u.Output != 1000 || u.Databases != 3<<10 || !near(u.Total, 3<<20)) {
				t.Errorf("got %+v", u)
			}
		}
	})
	t.Run("refuses a deploy that could fill the disk, and says what to do", func(t *testing.T) {
		g := guard(1<<60, 1<<60)
		if bad, ok := errors.AsType[*paas.Invalid](g.Room()); !ok || !strings.Contains(bad.Reason, "Delete an app") {
			t.Errorf("got %v", bad)
		}
		if r, _ := g.Report(t.Context()); !strings.Contains(r.Says, "deploys are refused") {
			t.Errorf("got %q", r.Says)
		}
	})
}

// keeper knows that both tenants need the same layer.
type keeper struct{ collected int }

func (k *keeper) Layers(context.Context) (map[string]map[string]bool, error) {
	return map[string]map[string]bool{"acme": {"abc": true, "gone": true}, "bee": {"abc": true}}, nil
}

func (k *keeper) Output(context.Context) (map[string]int64, error) {
	return map[string]int64{"acme": 1000}, nil
}

func (k *keeper) Databases(context.Context) (map[string]int64, error) {
	return map[string]int64{"acme": 3 << 10}, nil
}

func (k *keeper) Spare(context.Context) (int64, error) { return 7, nil }

func (k *keeper) Collect(context.Context) error {
	k.collected++
	return nil
}
