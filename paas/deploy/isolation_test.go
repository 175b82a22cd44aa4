package deploy_test

import (
	"errors"
	"os/exec"
	"slices"
	"testing"
	"time"

	"kurama/paas"
)

func TestIsolation(t *testing.T) {
	p := newPlatform(t, nil)
	p.run()
	const app = "from flask import Flask\napp = Flask(__name__)\n@app.get('/')\ndef index(): return 'here'\n"
	p.live("one", p.upload(map[string]string{"app.py": app}))
	p.live("two", p.upload(map[string]string{"app.py": app}))
	if _, err := p.pool.Exec(t.Context(), `INSERT INTO tenants (name) VALUES ('other')`); err != nil {
		t.Fatal(err)
	}
	rel, err := p.Deploy(t.Context(), "other", "three", "tester", p.upload(map[string]string{"app.py": app}))
	if err != nil {
		t.Fatal(err)
	}
	if rel = p.ended(rel); rel.State != paas.ReleaseLive {
		t.Fatalf("%+v", rel)
	}
	measure := func(t *testing.T) (card paas.Isolation, failed []string) {
		t.Helper()
		card, err := p.Isolation(t.Context(), paas.DefaultTenant, "one")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range card.Checks {
			t.Logf("%t %s (%s): %s", c.OK, c.Name, c.Where, c.Says)
			if !c.OK {
				failed = append(failed, c.Name)
			}
		}
		return card, failed
	}
	t.Run("of an app is measured whole, and stands", func(t *testing.T) {
		before := p.containers("one")[0]
		card, failed := measure(t)
		if !card.OK || len(failed) > 0 || len(card.Checks) != 21 || card.Replica != before.ID || card.Release != 1 {
			t.Errorf("got %d checks, failed %v, %+v", len(card.Checks), failed, card)
		}
		if own := p.containers("one"); len(own) != 1 || !own[0].StartedAt.Equal(before.StartedAt) || len(p.events.all("oom_killed")) > 0 {
			t.Errorf("the replica did not stay as it was: %+v, %v", own, p.events.told)
		}
		if status, body := p.get("one", "/"); status != 200 || body != "here" {
			t.Errorf("afterwards it answers %d %q", status, body)
		}
	})
	t.Run("tells when a wall is down", func(t *testing.T) {
		if out, err := exec.CommandContext(t.Context(), "iptables", "--wait", "5", "-F", "KURAMA-"+p.Instance+"-IN").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if card, failed := measure(t); card.OK || !slices.Equal(failed, []string{"host"}) {
			t.Errorf("failed: %v", failed)
		}
	})
	t.Run("is measured by one at a time", func(t *testing.T) {
		answers := make(chan error, 2)
		for range 2 {
			go func() { _, err := p.Isolation(t.Context(), paas.DefaultTenant, "two"); answers <- err }()
		}
		first, second := <-answers, <-answers
		if !errors.Is(first, paas.ErrConflict) || second != nil {
			t.Errorf("got %v and %v", first, second)
		}
	})
	t.Run("is nothing where nothing serves", func(t *testing.T) {
		if _, err := p.Isolation(t.Context(), "other", "one"); !errors.Is(err, paas.ErrNotFound) {
			t.Errorf("another tenant's app: %v", err)
		}
		if err := p.store.SetDesired(t.Context(), paas.DefaultTenant, "two", 0); err != nil {
			t.Fatal(err)
		}
		p.until(30*time.Second, "it is stopped", func() bool { return len(p.containers("two")) == 0 })
		if _, err := p.Isolation(t.Context(), paas.DefaultTenant, "two"); err == nil || err.Error() != "No replica of two serves, so there is nothing to measure. Deploy or start it first." {
			t.Errorf("got %v", err)
		}
	})
}
