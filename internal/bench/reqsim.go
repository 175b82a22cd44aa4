package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"kurama/sdk/reqsim"
)

const (
	reqsimRounds = 3
	reqsimLasts  = 6 * time.Second
	reqsimOfWrk  = 0.9    // of wrk's rate
	reqsimFast   = 5000.0 // requests per second at which its CPU is measured
)

// delays are what the server lets a hundred requests wait, so that percentiles
// are known: 100 ms, from the 90th on 200 ms, and one 800 ms.
func delays(n int64) time.Duration {
	switch n %= 100; {
	case n == 99:
		return 800 * time.Millisecond
	case n%10 == 9:
		return 200 * time.Millisecond
	}
	return 100 * time.Millisecond
}

// observedPath tells the percentiles of what was answered since it was last asked.
const observedPath = "/observed"

// observed are the percentiles, in ms, of the times that the server itself saw
// its requests take: the delays, and by how much a busy machine overslept them.
type observed struct {
	Requests       int
	P50, P95, P999 float64
}

// delayed answers after the known delays, and tells at observedPath how long
// they were in truth.
func delayed() http.HandlerFunc {
	var n atomic.Int64
	var mu sync.Mutex
	var took []float64
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == observedPath {
			mu.Lock()
			told := percentilesOf(took)
			took = nil
			mu.Unlock()
			_ = json.NewEncoder(w).Encode(told) // whoever left needs no answer
			return
		}
		began := time.Now()
		time.Sleep(delays(n.Add(1)))
		ms := float64(time.Since(began)) / float64(time.Millisecond)
		mu.Lock()
		took = append(took, ms)
		mu.Unlock()
		backend(w, r)
	}
}

// percentilesOf takes the percentiles by nearest rank.
func percentilesOf(took []float64) observed {
	slices.Sort(took)
	at := func(q float64) float64 {
		if len(took) == 0 {
			return 0
		}
		return took[max(int(math.Ceil(q*float64(len(took))))-1, 0)]
	}
	return observed{len(took), at(0.50), at(0.95), at(0.999)}
}

// observe asks the server what it saw since it was last asked.
func observe(ctx context.Context, address string) (o observed, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+observedPath, nil)
	if err != nil {
		return o, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return o, err
	}
	defer func() { _ = res.Body.Close() }()
	return o, json.NewDecoder(res.Body).Decode(&o)
}

// measureReqsim holds the simulator's percentiles against known delays, at nine
// tenths of the rate that wrk reaches, and its CPU on a fast server against that
// of Locust, which asks it as fast as it can.
func (b *bench) measureReqsim(ctx context.Context) error {
	target, err := startPeer(ctx, "delays")
	if err != nil {
		return err
	}
	defer target.stop()
	fast, err := startPeer(ctx, "backend")
	if err != nil {
		return err
	}
	defer fast.stop()
	var rates, of, worst, own, locusts []float64
	for range reqsimRounds {
		peak, err := wrk(ctx, "http://"+target.address+"/", "localhost", 4*time.Second)
		if err != nil {
			return err
		}
		if _, err := observe(ctx, target.address); err != nil { // what wrk asked is left out
			return err
		}
		report, _, err := b.simulate(ctx, target.address, reqsimOfWrk*peak.rate)
		if err != nil {
			return err
		}
		saw, err := observe(ctx, target.address)
		if err != nil {
			return err
		}
		b.say("the server saw p50 %.1f, p95 %.1f, p99.9 %.1f ms of %d requests, the simulator %.1f, %.1f, %.1f of %d", saw.P50, saw.P95, saw.P999, saw.Requests,
			report.Latency.P50, report.Latency.P95, report.Latency.P999, report.Requests)
		rates, of, worst = append(rates, report.Rate), append(of, peak.rate), append(worst, worstOf(report, saw))
		_, cpu, err := b.simulate(ctx, fast.address, reqsimFast)
		if err != nil {
			return err
		}
		own = append(own, cpu)
		other, err := b.locust(ctx, fast.address)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		locusts = append(locusts, other)
	}
	b.report.add(figure{Section: "reqsim", Name: "rate at which it was held to its percentiles", Unit: "/s", Runs: rates, Peer: "wrk", PeerRuns: of, Aim: ratioAtLeast(0.89)})
	b.report.add(figure{Section: "reqsim", Name: "largest error of p50, p95 and p99.9", Unit: "%", Runs: worst, Peer: "what the server saw", Aim: valueAtMost(2)})
	if len(locusts) < reqsimRounds {
		b.say("Locust is not installed, so its CPU is not measured: python3 -m venv .tools/locust && .tools/locust/bin/pip install locust")
		return nil
	}
	b.report.add(figure{Section: "reqsim", Name: "CPU of 1 000 requests", Unit: "ms", Runs: own, Peer: "Locust", PeerRuns: locusts, Aim: ratioAtMost(0.1)})
	return nil
}

// worstOf returns the largest error of the percentiles against what the server
// saw, in percent.
func worstOf(r reqsim.Report, saw observed) float64 {
	worst := 0.0
	for _, p := range []struct{ got, want float64 }{{r.Latency.P50, saw.P50}, {r.Latency.P95, saw.P95}, {r.Latency.P999, saw.P999}} {
		worst = max(worst, math.Abs(p.got-p.want)/p.want*100)
	}
	return worst
}

// simulate runs `kurama reqsim` and returns its report and the CPU of 1 000
// requests in ms, that of its own start included.
func (b *bench) simulate(ctx context.Context, address string, rate float64) (report reqsim.Report, cpu float64, err error) {
	cmd := exec.CommandContext(ctx, b.program, "reqsim", "--url", "http://"+address, "--rate", fmt.Sprintf("%.1f", rate), "--max-rate", "100000",
		"--duration", reqsimLasts.String(), "--warm-up", "1s", "--json")
	cmd.Env = append(os.Environ(), "KURAMA_REQSIM_ALLOW="+address)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &report)
	}
	if err == nil && (report.Failed > 0 || report.Unsent > 0) {
		err = fmt.Errorf("%d requests failed and %d were not sent", report.Failed, report.Unsent)
	}
	if err != nil {
		return report, 0, fmt.Errorf("kurama reqsim: %w %s", err, errs.Bytes())
	}
	return report, cpuOf(cmd) / float64(report.Requests+report.WarmUp) * 1000, nil
}

// cpuOf returns the CPU that an ended process and its children took, in ms.
func cpuOf(cmd *exec.Cmd) float64 {
	return float64((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Microseconds()) / 1000
}

// locustFile is a user who asks as soon as they were answered.
const locustFile = `from locust import HttpUser, task

class User(HttpUser):
    @task
    def home(self):
        self.client.get("/")
`

// locust runs as many users as wrk has connections and returns the CPU of 1 000
// requests in ms; fs.ErrNotExist where it is not installed.
func (b *bench) locust(ctx context.Context, address string) (float64, error) {
	program := filepath.Join(b.root, ".tools", "locust", "bin", "locust")
	if _, err := os.Stat(program); err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "kurama-bench-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "locustfile.py")
	if err := os.WriteFile(file, []byte(locustFile), 0o600); err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, program, "-f", file, "--headless", "-u", "64", "-r", "64", "-t", reqsimLasts.String(), "--host", "http://"+address, "--json", "--loglevel", "ERROR")
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("locust: %w", err)
	}
	var stats []struct {
		Requests int `json:"num_requests"`
		Failures int `json:"num_failures"`
	}
	if err := json.Unmarshal(out, &stats); err != nil || len(stats) == 0 || stats[0].Requests == 0 || stats[0].Failures > 0 {
		return 0, fmt.Errorf("locust did not tell its figures: %w: %s", err, out)
	}
	return cpuOf(cmd) / float64(stats[0].Requests) * 1000, nil
}
