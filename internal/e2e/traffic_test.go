package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

const countingApp = `import logging
from flask import Flask

app = Flask(__name__)
log = logging.getLogger("counting")

@app.get("/")
def home():
    return "version VERSION"

@app.get("/n/<int:n>")
def number(n):
    log.warning("number %d", n)
    return str(n)
`

func version(v string) map[string]string {
	return map[string]string{"app.py": strings.ReplaceAll(countingApp, "VERSION", v)}
}

func TestEveryRequestIsOneRecord(t *testing.T) {
	p := sharedPlatform(t)
	p.must(t, "deploy", writeApp(t, version("1")), "--app", "counting")
	const total = 10_000
	send(t, p.host("counting"), total, 16)

	pool := p.pool(t)
	t.Run("10 000 requests with a log line each give 10 000 records of both kinds, each once", func(t *testing.T) {
		eventually(t, 60*time.Second, func() error {
			var requests, logs, ids int
			err := pool.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE kind = 1), count(*) FILTER (WHERE kind = 2), count(DISTINCT id)
				FROM records WHERE app = 'counting' AND url LIKE '/n/%'`).Scan(&requests, &logs, &ids)
			if err == nil && (requests != total || logs != total || ids != 2*total) {
				err = fmt.Errorf("%d requests, %d logs, %d different ids", requests, logs, ids)
			}
			return err
		})
	})
	t.Run("the ten core fields are set on each", func(t *testing.T) {
		var wrong int
		err := pool.QueryRow(t.Context(), `SELECT count(*) FROM records WHERE app = 'counting' AND url LIKE '/n/%' AND
			(ts IS NULL OR level = 0 OR url = '' OR msg = '' OR cpu IS NULL OR disk IS NULL OR swap IS NULL OR mem IS NULL OR mem <= 0 OR (kind = 1 AND status <> 200))`).Scan(&wrong)
		if err != nil || wrong != 0 {
			t.Errorf("%d records lack a field (%v)", wrong, err)
		}
	})
	t.Run("log lines carry the request that they belong to", func(t *testing.T) {
		var joined int
		err := pool.QueryRow(t.Context(), `SELECT count(*) FROM records l JOIN records r ON r.req = l.req AND r.kind = 1 AND r.app = 'counting'
			WHERE l.app = 'counting' AND l.kind = 2 AND l.url = r.url AND l.route = '/n/<int:n>' AND r.route = '/n/<int:n>'
			AND l.msg = 'number ' || substr(r.url, 4)`).Scan(&joined)
		if err != nil || joined != total {
			t.Errorf("%d of %d are joined (%v)", joined, total, err)
		}
	})
	t.Run("the CLI reads them back, filtered", func(t *testing.T) {
		out := p.must(t, "logs", "counting", "--grep", "number 77", "--level", "WARNING", "--json", "--limit", "500")
		for line := range strings.Lines(out) {
			var r struct{ Level, Msg string }
			if err := json.Unmarshal([]byte(line), &r); err != nil || r.Level != "WARNING" || !strings.Contains(r.Msg, "number 77") {
				t.Fatalf("%q: %v", line, err)
			}
		}
		if n := strings.Count(out, "\n"); n != 111 { // 77, 77x, 77xx
			t.Errorf("%d lines, not 111", n)
		}
	})
}

// send makes total requests to /n/<i> over workers connections; each must be answered with 200.
func send(t *testing.T, base string, total, workers int) {
	t.Helper()
	numbers := make(chan int)
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for n := range numbers {
				if err := get(fmt.Sprintf("%s/n/%d", base, n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := range total {
		numbers <- n
	}
	close(numbers)
	wait.Wait()
}

func TestReleaseUnderLoad(t *testing.T) {
	p := sharedPlatform(t)
	p.must(t, "deploy", writeApp(t, version("1")), "--app", "rolling")
	ctx, cancel := context.WithCancel(t.Context())
	var failed, sent int
	done := make(chan struct{})
	go func() {
		defer close(done)
		sent, failed = steady(ctx, t, p.host("rolling")+"/", 50)
	}()
	for _, v := range []string{"2", "3"} {
		p.must(t, "deploy", writeApp(t, version(v)), "--app", "rolling")
	}
	p.must(t, "rollback", "rolling")
	p.must(t, "restart", "rolling")
	cancel()
	<-done
	t.Run("no request fails while releases, a rollback and a restart replace the replicas", func(t *testing.T) {
		if failed != 0 || sent < 50 {
			t.Errorf("%d of %d requests failed", failed, sent)
		}
	})
	t.Run("the rollback is what answers", func(t *testing.T) {
		if got, err := text(p.host("rolling") + "/"); err != nil || got != "version 2" {
			t.Errorf("%q %v", got, err)
		}
	})
}

// steady sends rate requests a second, open loop, until ctx ends.
func steady(ctx context.Context, t *testing.T, url string, rate int) (sent, failed int) {
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	var mu sync.Mutex
	var wait sync.WaitGroup
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			sent++
			wait.Go(func() {
				if err := get(url); err != nil {
					mu.Lock()
					failed++
					mu.Unlock()
					t.Log(err)
				}
			})
		}
	}
	wait.Wait()
	return sent, failed
}
