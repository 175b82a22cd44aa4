package deploy_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/paas"
)

// mortal is an app that can be made to hang: its worker stops, or everybody
// waits for a dependency that is away as long as a file is there.
const mortal = `from flask import Flask
import os, signal, time
app = Flask(__name__)
@app.get("/")
def index():
    while os.path.exists("/app/away"): time.sleep(0.05)
    return "here"
@app.post("/hang")
def hang(): os.kill(os.getpid(), signal.SIGSTOP); return ""
@app.post("/work")
def work(): time.sleep(0.7); return "done"
`

func TestLife(t *testing.T) {
	p := newPlatform(t, func(c *config.Config) {
		c.App.LiveInterval, c.App.HealthTimeout, c.App.DrainTimeout = time.Second, 6*time.Second, 3*time.Second
	})
	door := newDoor(t, p)
	p.run()
	rel := p.live("mortal", p.upload(map[string]string{"app.py": mortal}))
	scale := func(n int) {
		t.Helper()
		if err := p.store.SetDesired(t.Context(), paas.DefaultTenant, "mortal", n); err != nil {
			t.Fatal(err)
		}
	}
	healthy := func(n int) (ids []string) {
		t.Helper()
		p.until(90*time.Second, "the replicas are healthy", func() bool {
			ids = nil
			for _, r := range p.Replicas(paas.DefaultTenant, "mortal") {
				if r.State == paas.ReplicaHealthy {
					ids = append(ids, r.ID)
				}
			}
			return len(ids) == n && len(p.containers("mortal")) == n
		})
		return ids
	}
	hang := func() {
		go func() { _, _ = door.ask(t.Context(), "POST", "mortal", "/hang") }()
	}

	t.Run("leaves a replica alone that is too busy to answer a probe", func(t *testing.T) {
		before := healthy(1)
		leave := door.visitors("mortal", "/work", 12)
		p.until(90*time.Second, "the probes meet a queue of seconds", func() bool {
			inFlight, err := door.InFlight(t.Context())
			return err == nil && inFlight[before[0]] == 12
		})
		began := time.Now()
		p.until(90*time.Second, "eight seconds of that are over", func() bool { return time.Since(began) > 8*time.Second })
		served(t, leave())
		if after := healthy(1); after[0] != before[0] || len(p.events.all("crashed")) > 0 {
			t.Errorf("%s was replaced by %s: %v", before, after, p.events.all("crashed"))
		}
	})
	t.Run("replaces the only replica when it hangs", func(t *testing.T) {
		before := healthy(1)
		hang()
		p.until(90*time.Second, "another serves", func() bool {
			body, err := door.get(t.Context(), "mortal", "/")
			return err == nil && body == "here" && p.Replicas(paas.DefaultTenant, "mortal")[0].ID != before[0]
		})
		after := healthy(1)
		if told := p.events.all("crashed"); len(told) != 1 || told[0] != before[0]+" left `GET /` unanswered 3 times in a row. A fresh replica is started to take its place." {
			t.Errorf("crashed: %q", told)
		}
		if told := p.events.all("restarted"); len(told) != 1 || told[0] != after[0]+" took the place of "+before[0]+"." {
			t.Errorf("restarted: %q", told)
		}
	})
	t.Run("takes one of several out of the table when it hangs, and serves on", func(t *testing.T) {
		scale(2)
		before := healthy(2)
		hang()
		p.until(90*time.Second, "the crash is told", func() bool { return len(p.events.all("crashed")) == 2 })
		quick := door.visitors("mortal", "/work", 2)
		p.until(90*time.Second, "the replacement is told", func() bool { return len(p.events.all("restarted")) == 2 })
		served(t, quick())
		kept := 0
		for _, id := range healthy(2) {
			if id == before[0] || id == before[1] {
				kept++
			}
		}
		if told := p.events.all("crashed")[1]; kept != 1 || !strings.HasSuffix(told, "It gets no more requests, and a fresh replica takes its place.") {
			t.Errorf("%d of the former replicas were kept; %s", kept, told)
		}
	})
	t.Run("keeps what there is when all wait for the same dependency", func(t *testing.T) {
		before := healthy(2)
		away := filepath.Join(p.build.SourceFolder(rel.Tenant, rel.App, rel.Number), "away")
		if err := os.WriteFile(away, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		var once sync.Once
		back := func() { once.Do(func() { _ = os.Remove(away) }) }
		defer back()
		var lost error
		p.until(120*time.Second, "a replacement was tried twice", func() bool {
			inTable, err := door.Heard(t.Context())
			if err != nil || len(inTable) < 2 {
				lost = errors.Join(lost, err, errors.New("a replica left the table"))
			}
			tried := 0
			for _, told := range p.events.all("crashed") {
				if strings.HasPrefix(told, "No replica came up in the place of ") {
					tried++
				}
			}
			return tried >= 2
		})
		if lost != nil {
			t.Error(lost)
		}
		back()
		p.until(90*time.Second, "it serves", func() bool { body, err := door.get(t.Context(), "mortal", "/"); return err == nil && body == "here" })
		for i, id := range healthy(2) {
			if id != before[i] {
				t.Errorf("%s is gone", before[i])
			}
		}
	})
}
