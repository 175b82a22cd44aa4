package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	pixelRate    = 1000             // records per second of the app that is watched
	pixelTime    = 20 * time.Second // that the tab is left open, where -for says no other, and that its rows are watched after
	pixelSamples = "pixel.csv"      // beside the figures: what the tab used, sample by sample
)

// seen is what web/e2e/pixel.mjs prints.
type seen struct {
	Delays  []float64   `json:"delays"`  // ms from the record's time to the frame after the one that shows it
	Samples []tabSample `json:"samples"` // at even distances of time, the first when the tab was opened
}

// tabSample is what an open tab uses.
type tabSample struct {
	At      float64 `json:"at"`      // s since the tab was opened
	Heap    float64 `json:"heap"`    // bytes of JavaScript after a collection
	Private float64 `json:"private"` // bytes that only the tab's process holds, as Chromium's task manager tells
	Main    float64 `json:"main"`    // s of CPU that its main thread has used
	Process float64 `json:"process"` // s of CPU that all its threads have used
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
	first, last := s.Samples[0], s.Samples[len(s.Samples)-1]
	wall := last.At - first.At
	b.say("%d rows were seen; in %.0f s the heap went from %.1f to %.1f MB, the tab's own memory from %.0f to %.0f MB", len(s.Delays), wall,
		first.Heap/1e6, last.Heap/1e6, first.Private/1e6, last.Private/1e6)
	at := fmt.Sprintf(", at %s records/s", number(pixelRate))
	add := func(name, unit string, value, bound float64) {
		b.report.add(figure{Section: "pixel", Name: name + at, Unit: unit, Value: value, Peer: "bound", PeerValue: bound, Aim: valueAtMost(bound)})
	}
	add("record → pixel, p95", "ms", quantile(s.Delays, 0.95), 250)
	b.report.add(figure{Section: "pixel", Name: "record → pixel, p50" + at, Unit: "ms", Value: quantile(s.Delays, 0.5), Peer: "bound of p95", PeerValue: 250})
	add("an open tab's main thread", "% of a core", 100*(last.Main-first.Main)/wall, 20)
	add("an open tab's process, all threads", "% of a core", 100*(last.Process-first.Process)/wall, 20)
	add("an open tab's heap at the end", "MB", last.Heap/1e6, 150)
	add("an open tab's own memory at the end", "MB", last.Private/1e6, 150)
	return p.settle(ctx)
}

// look leaves a tab open, and then watches its rows.
func (b *bench) look(ctx context.Context, p *platform) (seen, error) {
	var s seen
	seconds := func(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }
	err := b.browser(ctx, p, "pixel.mjs", b.open+pixelTime+time.Minute, &s, "APP="+appName, "OPEN="+seconds(b.open), "EVERY="+seconds(min(time.Minute, b.open/4)),
		"ROWS="+seconds(pixelTime), "SAMPLES="+filepath.Join(b.root, "test-results", pixelSamples))
	if err == nil && (len(s.Delays) == 0 || len(s.Samples) < 2) {
		err = fmt.Errorf("the browser saw %d rows and took %d samples of the tab", len(s.Delays), len(s.Samples))
	}
	return s, err
}

// browser runs a script of web/e2e as the first administrator and reads the last
// line that it prints, which is JSON, into out.
func (b *bench) browser(ctx context.Context, p *platform, script string, limit time.Duration, out any, env ...string) error {
	login, err := os.ReadFile(p.folders.Sub("admin.password"))
	if err != nil {
		return fmt.Errorf("reading the password of the first administrator: %w", err)
	}
	words := strings.Fields(string(login)) // name: NAME password: PASSWORD
	if len(words) != 4 {
		return fmt.Errorf("the file with the first administrator's password has %d words, not 4", len(words))
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "e2e/"+script)
	cmd.Dir = filepath.Join(b.root, "web")
	cmd.Env = append(os.Environ(), "CONSOLE=http://"+p.console+"/", "DASHBOARD=http://"+p.dashboard+"/", "ACCOUNT="+words[1], "PASSWORD="+words[3])
	cmd.Env = append(cmd.Env, env...)
	var said, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complaints
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", script, err, complaints.String())
	}
	lines := bytes.Split(bytes.TrimSpace(said.Bytes()), []byte("\n"))
	if err := json.Unmarshal(lines[len(lines)-1], out); err != nil {
		return fmt.Errorf("reading what %s says: %w", script, err)
	}
	return nil
}
