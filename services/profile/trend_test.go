package profile

import (
	"testing"
	"time"

	"kurama/internal/postgres/pgtest"
)

func TestTrends(t *testing.T) {
	pool := pgtest.New(t)
	q := NewQuery(pool)
	now := time.Date(2026, 11, 20, 12, 30, 20, 0, time.UTC)
	q.now = func() time.Time { return now }
	add := func(back int, route string, requests int, sum float64) {
		t.Helper()
		if _, err := pool.Exec(t.Context(), `INSERT INTO rollups (minute, tenant, app, release, method, route, requests, errors, dur_sum, cpu_sum, sketch)
			VALUES ($1, 'a', 'shop', 1, 'GET', $2, $3, 0, $4, 0, '')`, now.Truncate(time.Minute).Add(-time.Duration(back)*time.Minute), route, requests, sum); err != nil {
			t.Fatal(err)
		}
	}
	add(0, "/", 2, 30)
	add(1, "/", 2, 10) // the same step of two minutes
	add(59, "/", 1, 7)
	add(60, "/", 9, 9) // before the window
	add(30, "/pay", 4, 400)
	list, from, step, err := q.Trends(t.Context(), "a", "shop", time.Hour)
	if err != nil || step != 2*time.Minute || !from.Equal(now.Truncate(time.Minute).Add(-59*time.Minute)) || len(list) != 2 || len(list[0].Mean) != 30 {
		t.Fatalf("got %d routes from %s in steps of %s: %v", len(list), from, step, err)
	}
	root := list[0]
	if root.Requests[29] != 4 || *root.Mean[29] != 10 || root.Requests[0] != 1 || *root.Mean[0] != 7 || root.Mean[15] != nil {
		t.Errorf("/ did %v", root.Requests)
	}
	if pay := list[1]; pay.Requests[14] != 4 || *pay.Mean[14] != 100 {
		t.Errorf("/pay did %v", pay.Requests)
	}
}
