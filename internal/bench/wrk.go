package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// wrkResult is what one run of wrk tells.
type wrkResult struct {
	rate float64 // requests per second
	p99  float64 // ms
}

// wrk loads address with 2 threads and 64 connections that stay open.
func wrk(ctx context.Context, address, host string, duration time.Duration) (wrkResult, error) {
	cmd := exec.CommandContext(ctx, "wrk", "-t2", "-c64", fmt.Sprintf("-d%ds", int(duration.Seconds())), "--latency", "-H", "Host: "+host, address)
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return wrkResult{}, errors.New("wrk is not installed. `bin/kurama setup --test` installs it")
	}
	if err != nil {
		return wrkResult{}, fmt.Errorf("wrk %s: %w: %s", address, err, out)
	}
	return parseWrk(string(out))
}

var (
	wrkRate = regexp.MustCompile(`(?m)^Requests/sec:\s+([\d.]+)`)
	wrkP99  = regexp.MustCompile(`(?m)^\s+99%\s+([\d.]+)(us|ms|s)\s*$`)
	wrkBad  = regexp.MustCompile(`(?m)^\s+(Non-2xx or 3xx responses: .*|Socket errors: .*)$`)
	wrkUnit = map[string]float64{"us": 0.001, "ms": 1, "s": 1000}
)

// parseWrk reads what wrk prints. A run with failed requests measures nothing.
func parseWrk(text string) (wrkResult, error) {
	if bad := wrkBad.FindString(text); bad != "" {
		return wrkResult{}, fmt.Errorf("wrk had failures:%s", bad)
	}
	rate, slow := wrkRate.FindStringSubmatch(text), wrkP99.FindStringSubmatch(text)
	if rate == nil || slow == nil {
		return wrkResult{}, fmt.Errorf("wrk did not tell its figures:\n%s", text)
	}
	perSecond, err1 := strconv.ParseFloat(rate[1], 64)
	p99, err2 := strconv.ParseFloat(slow[1], 64)
	return wrkResult{rate: perSecond, p99: p99 * wrkUnit[slow[2]]}, errors.Join(err1, err2)
}
