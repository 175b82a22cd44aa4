package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestBackup moves an installation to an empty folder: what people had is there,
// and the app answers.
func TestBackup(t *testing.T) {
	p, err := newPlatform("")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(p.data) })
	must(t, p.start())
	stopped := false
	t.Cleanup(func() {
		if !stopped {
			_ = p.stop()
		}
	})
	p.must(t, "deploy", writeApp(t, version("1")), "--app", "phoenix")
	p.must(t, "env", "phoenix", "set", "COLOUR=orange")
	p.must(t, "database", "create", "phoenix")
	p.must(t, "database", "psql", "phoenix", "--", "-qc", "CREATE TABLE kept AS SELECT 'ashes' AS what")
	address := p.must(t, "database", "url", "phoenix")
	eventually(t, 20*time.Second, func() error { return get(p.host("phoenix") + "/") })
	wantRecordsOf(t, p, "phoenix", 1)

	file := filepath.Join(t.TempDir(), "kurama.tar.zst")
	if out := p.must(t, "backup", file, "--config", p.config, "--data", p.data); !strings.Contains(out, "files") {
		t.Errorf("got %s", out)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	if out, err := p.cli("restore", file, "--config", p.config, "--data", p.data); err == nil || !strings.Contains(out, "is not empty") {
		t.Errorf("a folder in use was taken for an empty one: %s", out)
	}
	must(t, p.stop())
	stopped = true

	moved := *p
	moved.data, err = os.MkdirTemp("", "kurama-e2e-")
	must(t, err)
	must(t, os.Chmod(moved.data, 0o755))
	t.Cleanup(func() { _ = os.RemoveAll(moved.data) })
	moved.must(t, "restore", file, "--config", p.config, "--data", moved.data)
	must(t, moved.start())
	t.Cleanup(func() { _ = moved.stop() })
	eventually(t, time.Minute, func() error { return get(moved.host("phoenix") + "/") })
	if out := moved.must(t, "env", "phoenix"); !strings.Contains(out, "orange") {
		t.Errorf("the settings are %s", out)
	}
	if again := moved.must(t, "database", "url", "phoenix"); again != address {
		t.Error("the address of the database is another")
	}
	if out := moved.must(t, "database", "psql", "phoenix", "--", "-Atc", "INSERT INTO kept VALUES ('egg'); SELECT string_agg(what, ' ') FROM kept"); !strings.Contains(out, "ashes egg") {
		t.Errorf("the database holds %s", out)
	}
	if moved.token != p.token || moved.password != p.password {
		t.Error("the administrator is another")
	}
	wantRecordsOf(t, &moved, "phoenix", 2) // one of before, one of after
	if out := moved.must(t, "releases", "phoenix"); !strings.Contains(out, "live") {
		t.Errorf("the releases are\n%s", out)
	}
	moved.must(t, "rollback", "phoenix", "1")
	eventually(t, 20*time.Second, func() error { return get(moved.host("phoenix") + "/") })
}

// wantRecordsOf waits for at least so many answered requests of an app.
func wantRecordsOf(t *testing.T, p *platform, app string, atLeast int) {
	t.Helper()
	pool := p.pool(t)
	defer pool.Close()
	eventually(t, 20*time.Second, func() error {
		var n int
		err := pool.QueryRow(t.Context(), `SELECT count(*) FROM records WHERE app = $1 AND kind = 1 AND status = 200`, app).Scan(&n)
		if err == nil && n < atLeast {
			err = fmt.Errorf("%d requests", n)
		}
		return err
	})
}
