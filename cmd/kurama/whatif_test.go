package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/DataDog/sketches-go/ddsketch"

	"kurama/internal/config"
	"kurama/internal/postgres/pgtest"
	"kurama/paas"
	"kurama/paas/api"
	"kurama/services/profile"
)

func TestTheBusiestStretchIsTakenOfTooLongAPast(t *testing.T) {
	f := func(minutes []int, most, from, length int) {
		t.Helper()
		if a, b := busiest(minutes, most); a != from || b != length {
			t.Errorf("%v, at most %d: %d minutes from %d on", minutes, most, b, a)
		}
	}
	f([]int{1, 2, 3}, 10, 0, 3)
	f([]int{5, 1, 9, 2, 7}, 12, 1, 3)
	f([]int{5, 1, 9, 2, 7}, 9, 2, 1)
	f([]int{50, 1}, 9, 0, 1)
}

// encodedSketch is a sketch as profile stores it.
func encodedSketch(t *testing.T, values ...float64) (b []byte) {
	t.Helper()
	s, err := ddsketch.LogCollapsingLowestDenseDDSketch(0.01, 2048)
	must(t, err)
	for _, v := range values {
		must(t, s.Add(v))
	}
	s.Encode(&b, false)
	return b
}

func TestWhatIfRunsThePastOfAnApp(t *testing.T) {
	pool := pgtest.New(t)
	to := time.Now().UTC().Truncate(time.Minute)
	// An hour of 1 request/s, in whose middle 20 minutes have 100/s of 100 ms: three replicas of four slots.
	sketch := encodedSketch(t, 90, 100, 110)
	for i := range 60 {
		n := 60
		if i >= 20 && i < 40 {
			n = 6000
		}
		if _, err := pool.Exec(t.Context(), `INSERT INTO rollups (minute, tenant, app, release, method, route, requests, errors, dur_sum, cpu_sum, cpu_count, sketch)
			VALUES ($1, 'default', 'hello', 1, 'GET', '/', $2::int, 0, $2::int * 100, $2::int * 2, $2::int, $3)`, to.Add(time.Duration(i-60)*time.Minute), n, sketch); err != nil {
			t.Fatal(err)
		}
	}
	r := newReplayer(profile.NewQuery(pool), config.Default().Router.RequestTimeout)
	now := paas.DefaultPolicy()
	now.Max = 8
	swift, off := now, now
	swift.Name, off.Name = paas.PolicySwift, paas.PolicyOff
	q := api.WhatIfQuestion{App: paas.App{Tenant: "default", Name: "hello", Release: 1, Desired: 1}, Limits: paas.Limits{CPU: 0.5},
		Policies: []paas.Policy{off, swift}, Length: time.Hour, Objective: 300}
	w, err := r.Replay(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	one, many := w.Results[0], w.Results[1]
	if w.Requests != 40*60+20*6000 || w.Slots != 4 || w.CPUMs != 2 || w.WorkMs < 95 || w.WorkMs > 110 {
		t.Errorf("%+v", w)
	}
	if one.Most != 1 || one.Changes != 0 || one.Late < 0.5 || one.ReplicaHours < 0.95 || one.ReplicaHours > 1.05 {
		t.Errorf("a single replica: %.3f late, %d at most, %d changes, %.2f h", one.Late, one.Most, one.Changes, one.ReplicaHours)
	}
	if many.Most < 3 || many.Late > 0.05 || many.ReplicaHours > 3 || len(many.Course) < 200 || len(many.Course) > coursePoints {
		t.Errorf("swift: %.3f late, %d at most, %.2f h, %d points", many.Late, many.Most, many.ReplicaHours, len(many.Course))
	}
	if !strings.Contains(w.Says, "Under swift, ") {
		t.Error(w.Says)
	}
	given, up := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer up()
	busy := q
	for range 200 { // seconds of work, were it not given up
		busy.Policies = append(busy.Policies, swift)
	}
	if _, err := r.Replay(given, busy); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("whoever left is simulated for: %v", err)
	}
	q.App.Name = "idle"
	if _, err := r.Replay(t.Context(), q); err == nil || !strings.Contains(err.Error(), "asked for nothing since") {
		t.Errorf("%v", err)
	}
	r.busy <- struct{}{}
	if _, err := r.Replay(t.Context(), q); !errors.Is(err, paas.ErrConflict) {
		t.Errorf("%v", err)
	}
}
