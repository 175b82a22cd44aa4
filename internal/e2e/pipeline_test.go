package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

const talkingApp = `import logging
from flask import Flask

app = Flask(__name__)
log = logging.getLogger("talking")
log.setLevel(logging.DEBUG)

@app.get("/<word>")
def say(word):
    log.debug("quiet %s", word)
    log.info("loud %s", word)
    return word
`

// TestThePipelineThatIsDrawnIsTheOneThatRuns draws it in a browser, and then
// looks at what the services have.
func TestThePipelineThatIsDrawnIsTheOneThatRuns(t *testing.T) {
	p := sharedPlatform(t)
	p.must(t, "deploy", writeApp(t, map[string]string{"app.py": talkingApp}), "--app", "talking")
	ctx, stop := context.WithCancel(t.Context())
	talked := make(chan struct{})
	go func() { // the arrows show what flows
		defer close(talked)
		for tick := time.NewTicker(100 * time.Millisecond); ctx.Err() == nil; <-tick.C {
			_ = get(p.host("talking") + "/before")
		}
	}()
	browse(t, p, "pipeline.mjs", "APP=talking")
	stop()
	<-talked

	if text := p.must(t, "pipeline", "talking"); !strings.Contains(text, "when: level > DEBUG") || !strings.Contains(text, "to: ops@example.org") || strings.Contains(text, "profile") {
		t.Errorf("what was drawn is\n%s", text)
	}
	if rules := p.must(t, "alerts", "list", "talking"); !strings.Contains(rules, "ops@example.org") {
		t.Errorf("the receiver is no alert:\n%s", rules)
	}
	must(t, get(p.host("talking")+"/after"))
	pool := p.pool(t)
	eventually(t, 30*time.Second, func() error {
		var loud, quiet int
		err := pool.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE msg = 'loud after'), count(*) FILTER (WHERE msg = 'quiet after')
			FROM records WHERE app = 'talking'`).Scan(&loud, &quiet)
		if err == nil && (loud != 1 || quiet != 0) {
			err = fmt.Errorf("Postgres has the INFO line %d times and the DEBUG line %d times", loud, quiet)
		}
		return err
	})
	eventually(t, 30*time.Second, func() error {
		out, err := p.cli("archive", "download", "talking", "--output", "-")
		if err == nil && (!strings.Contains(out, "loud after") || !strings.Contains(out, "quiet after")) {
			err = fmt.Errorf("the archive lacks a line")
		}
		return err
	})
}
