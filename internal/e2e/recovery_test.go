package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestRecovery kills the platform and its apps, and starts it again.
func TestRecovery(t *testing.T) {
	p, err := newPlatform("")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(p.data) })
	must(t, p.start())
	t.Cleanup(func() { _ = p.stop() })
	p.must(t, "deploy", writeApp(t, version("1")), "--app", "phoenix")
	before := containers(t, "phoenix")
	must(t, get(p.host("phoenix")+"/"))
	wantRecords(t, p, 1) // what a killed process had not handed over yet may be lost

	t.Run("after kill -9 the app still answers once Kurama is back, from the same container", func(t *testing.T) {
		must(t, p.kill())
		must(t, p.start())
		eventually(t, 20*time.Second, func() error { return get(p.host("phoenix") + "/") })
		if after := containers(t, "phoenix"); after != before {
			t.Errorf("containers %q after %q", after, before)
		}
	})
	t.Run("records from before and after are both there", func(t *testing.T) {
		wantRecords(t, p, 2)
	})
	t.Run("a crashed replica is started again", func(t *testing.T) {
		if out, err := exec.Command("docker", "kill", before).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		eventually(t, 20*time.Second, func() error {
			if containers(t, "phoenix") == before {
				return fmt.Errorf("the dead container is still listed")
			}
			return get(p.host("phoenix") + "/")
		})
	})
	t.Run("after a clean stop no container is left, and the next start brings the app back", func(t *testing.T) {
		begun := time.Now()
		must(t, p.stop())
		t.Logf("stopped after %s:\n%s", time.Since(begun), p.out)
		if left := containers(t, "phoenix"); left != "" {
			t.Errorf("left: %s", left)
		}
		must(t, p.start())
		eventually(t, 20*time.Second, func() error { return get(p.host("phoenix") + "/") })
	})
}

// wantRecords waits for one deployed event and at least so many requests.
func wantRecords(t *testing.T, p *platform, atLeast int) {
	t.Helper()
	pool := p.pool(t)
	defer pool.Close()
	eventually(t, 20*time.Second, func() error {
		var deployed, requests int
		err := pool.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE extra->>'event' = 'deployed'), count(*) FILTER (WHERE kind = 1 AND status = 200)
			FROM records WHERE app = 'phoenix'`).Scan(&deployed, &requests)
		if err == nil && (deployed != 1 || requests < atLeast) {
			err = fmt.Errorf("%d deployed events, %d requests", deployed, requests)
		}
		return err
	})
}

func containers(t *testing.T, app string) string {
	t.Helper()
	out, err := exec.Command("docker", "ps", "-q", "--no-trunc", "--filter", "label=kurama.app="+app, "--filter", "label=kurama.kind=replica").Output()
	must(t, err)
	return strings.TrimSpace(string(out))
}
