package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const (
	pixelRate    = 1000 // records per second of the app that is watched
	pixelSeconds = 20   // of the open tab alone, and again of its rows
)

// seen is what web/e2e/pixel.mjs prints.
type seen struct {
	Delays []float64 `json:"delays"` // ms from the record's time to the frame after the one that shows it
	Share  float64   `json:"share"`  // of a core, by the tab's main thread, percent
	Heaps  []float64 `json:"heaps"`  // bytes after a collection, at even distances of time
}

// measurePixel opens the live dashboard in Chromium while records come, and
// notes when they are on the screen and what the tab costs.
func (b *bench) measurePixel(ctx context.Context) error {
	p, stop, err := b.asked(ctx, pixelRate)
	if err != nil {
		return err
	}
	s, err := b.look(ctx, p)
	stop()
	if err != nil {
		return err
	}
	first, last := s.Heaps[0], s.Heaps[len(s.Heaps)-1]
	b.say("%d rows were seen; the heap went from %.1f to %.1f MB in %d s", len(s.Delays), first/1e6, last/1e6, pixelSeconds)
	at := fmt.Sprintf("at %s records/s", number(pixelRate))
	b.report.add(figure{Section: "pixel", Name: "record → pixel, p95, " + at, Unit: "ms", Value: quantile(s.Delays, 0.95), Peer: "bound", PeerValue: 250, Aim: valueAtMost(250)})
	b.report.add(figure{Section: "pixel", Name: "record → pixel, p50, " + at, Unit: "ms", Value: quantile(s.Delays, 0.5), Peer: "bound of p95", PeerValue: 250})
	b.report.add(figure{Section: "pixel", Name: "an open tab's main thread, " + at, Unit: "% of a core", Value: s.Share, Peer: "bound", PeerValue: 20, Aim: valueAtMost(20)})
	b.report.add(figure{Section: "pixel", Name: "an open tab's heap at the end, " + at, Unit: "MB", Value: last / 1e6, Peer: "bound after an hour", PeerValue: 150, Aim: valueAtMost(150)})
	return p.settle(ctx)
}

// look runs the browser.
func (b *bench) look(ctx context.Context, p *platform) (seen, error) {
	var s seen
	login, err := os.ReadFile(p.folders.Sub("admin.password"))
	if err != nil {
		return s, fmt.Errorf("reading the password of the first administrator: %w", err)
	}
	words := strings.Fields(string(login)) // name: NAME password: PASSWORD
	if len(words) != 4 {
		return s, fmt.Errorf("the file with the first administrator's password has %d words, not 4", len(words))
	}
	ctx, cancel := context.WithTimeout(ctx, (2*pixelSeconds+60)*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "e2e/pixel.mjs")
	cmd.Dir = b.root + "/web"
	cmd.Env = append(os.Environ(), "CONSOLE=http://"+p.console+"/", "DASHBOARD=http://"+p.dashboard+"/", "APP="+appName,
		"ACCOUNT="+words[1], "PASSWORD="+words[3], "SECONDS="+strconv.Itoa(pixelSeconds))
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		return s, fmt.Errorf("looking at the dashboard: %w: %s", err, complaints.String())
	}
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	if err := json.Unmarshal(lines[len(lines)-1], &s); err != nil || len(s.Delays) == 0 || len(s.Heaps) == 0 {
		return s, fmt.Errorf("the browser saw %d rows and %d heaps: %w", len(s.Delays), len(s.Heaps), err)
	}
	return s, nil
}
