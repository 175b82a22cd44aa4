package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// measureSDK runs the Python library's own benchmark, which takes turns with
// plain Flask and plain logging by itself.
func (b *bench) measureSDK(ctx context.Context) error {
	python := filepath.Join(b.root, ".tools/venv/bin/python")
	if _, err := os.Stat(python); err != nil {
		return fmt.Errorf("there is no %s: `make bench` makes it", python)
	}
	out, err := exec.CommandContext(ctx, python, filepath.Join(b.root, "sdk/python/bench.py")).Output()
	if err != nil {
		return fmt.Errorf("bench.py: %w", err)
	}
	var got struct {
		RequestPlain    float64 `json:"request_plain_us"`
		RequestAdded    float64 `json:"request_added_us"`
		RequestAddedCPU float64 `json:"request_added_cpu_us"`
		LinePlain       float64 `json:"line_streamhandler_us"`
		LineKurama      float64 `json:"line_kurama_us"`
		LinePlainCPU    float64 `json:"line_streamhandler_cpu_us"`
		LineKuramaCPU   float64 `json:"line_kurama_cpu_us"`
		SamplingCPU     float64 `json:"sampling_cpu_percent"`
		SamplingMet     float64 `json:"sampling_time_met"`
		Dropped         int     `json:"dropped"`
	}
	if err := json.Unmarshal(out, &got); err != nil {
		return fmt.Errorf("reading what bench.py says: %w", err)
	}
	if got.Dropped > 0 {
		return fmt.Errorf("the library dropped %d lines, so they cost less than they should", got.Dropped)
	}
	add := func(name string, value float64, peer string, against float64, goal *aim) {
		b.report.add(figure{Section: "sdk", Name: name, Unit: "µs", Value: value, Peer: peer, PeerValue: against, Aim: goal})
	}
	add("added to a request without log lines", got.RequestAdded, "the request itself, in process", got.RequestPlain, valueAtMost(6))
	add("a log line, where the app waits", got.LineKurama, "standard StreamHandler", got.LinePlain, valueAtMost(15))
	add("CPU added to a request, all threads", got.RequestAddedCPU, "the request itself, in process", got.RequestPlain, nil)
	add("CPU of a log line, all threads", got.LineKuramaCPU, "standard StreamHandler", got.LinePlainCPU, nil)
	b.report.add(figure{Section: "sdk", Name: "CPU added to requests of a millisecond while they are sampled", Unit: "%", Value: got.SamplingCPU,
		Peer: "the same requests, not sampled", PeerValue: 100, Aim: valueAtMost(2)})
	b.report.add(figure{Section: "sdk", Name: "time of such requests that samples stand for", Unit: "%", Value: 100 * got.SamplingMet, Peer: "all of it", PeerValue: 100})
	return nil
}
