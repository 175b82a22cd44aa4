package profile

import (
	"errors"
	"math"
	"testing"
	"time"

	"kurama/logship/record"
	"kurama/paas"
	"kurama/services/sink/sinktest"
)

func TestCourse(t *testing.T) {
	b := setup(t)
	sinktest.Start(t, b.role.Run)
	from := time.Now().UTC().Truncate(time.Minute).Add(-10 * time.Minute)
	var all []record.Record
	for i := range 100 {
		minute := time.Duration(i%4) * time.Minute // two steps of two minutes, with several routes
		all = append(all, request(i, from.Add(minute), func(r *record.Record) {
			r.Dur, r.Route = record.Num(float64(i+1)), []string{"/a", "/b", "/c"}[i%3]
			r.Status = 200
			if i >= 95 {
				r.Status = 500
			}
		}))
	}
	other := request(1, from, func(r *record.Record) { r.App, r.Dur = "other", record.Num(1000) })
	foreign := request(1, from, func(r *record.Record) { r.Tenant = "foreign" })
	b.waitFor(t, sinktest.Publish(t, b.stream, append(all, other, foreign)...))

	steps, total, err := b.query.Course(t.Context(), "acme", "shop", from, from.Add(10*time.Minute), 2*time.Minute)
	if err != nil || len(steps) != 2 {
		t.Fatalf("%+v, %v", steps, err)
	}
	if !steps[0].At.Equal(from) || !steps[1].At.Equal(from.Add(2*time.Minute)) || steps[0].Requests+steps[1].Requests != 100 || steps[0].Errors+steps[1].Errors != 5 {
		t.Errorf("steps: %+v", steps)
	}
	if total.Requests != 100 || total.Errors != 5 || math.Abs(*total.P95-95) > 2 || math.Abs(*total.P50-50) > 2 {
		t.Errorf("all: %+v, p95 %v", total, *total.P95)
	}
	if _, total, err := b.query.Course(t.Context(), "acme", "", from, from.Add(10*time.Minute), time.Minute); err != nil || total.Requests != 101 {
		t.Errorf("of the tenant: %+v, %v", total, err)
	}
	if steps, total, err := b.query.Course(t.Context(), "acme", "none", from, from.Add(time.Minute), time.Minute); err != nil || len(steps) != 0 || total.P50 != nil {
		t.Errorf("of an app without requests: %+v %+v, %v", steps, total, err)
	}
	var invalid *paas.Invalid
	for _, step := range []time.Duration{time.Second, 90 * time.Second} {
		if _, _, err := b.query.Course(t.Context(), "acme", "shop", from, from.Add(time.Hour), step); !errors.As(err, &invalid) {
			t.Errorf("steps of %s: %v", step, err)
		}
	}
}
