package main

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"time"

	"kurama/logship/record"
	"kurama/sdk/reqsim"
)

// appWatch tells how an app is: the replicas of it, and the figures of its last
// samples.
type appWatch struct {
	replicas func(ctx context.Context) (wanted, ready float64, err error)
	samples  func(ctx context.Context, from time.Time) ([]record.Record, error) // newest first
}

// sampleSpan is how far back the last sample of each replica lies at most.
const sampleSpan = 3 * time.Second

// Look returns the replicas wanted and ready, and the figures of the busiest.
func (w *appWatch) Look(ctx context.Context) (reqsim.Look, error) {
	var look reqsim.Look
	wanted, ready, err := w.replicas(ctx)
	if err != nil {
		return look, err
	}
	look.Wanted, look.Ready = &wanted, &ready
	records, err := w.samples(ctx, time.Now().UTC().Add(-sampleSpan))
	if err != nil {
		return look, nil // the replicas are known; whoever reads the samples may be busy
	}
	seen := map[string]bool{}
	for _, r := range records { // one of each replica
		if seen[r.Replica] {
			continue
		}
		seen[r.Replica] = true
		look.CPU, look.Mem = highest(look.CPU, r.CPU), highest(look.Mem, r.Mem)
	}
	return look, nil
}

// remoteWatch asks the platform's API.
func remoteWatch(s *session, app string) *appWatch {
	return &appWatch{
		replicas: func(ctx context.Context) (float64, float64, error) {
			var view struct{ Desired, Ready float64 }
			err := s.Call(ctx, "GET", appPath(app), nil, nil, &view)
			return view.Desired, view.Ready, err
		},
		samples: func(ctx context.Context, from time.Time) ([]record.Record, error) {
			var list struct{ Records []record.Record }
			err := s.Call(ctx, "GET", appPath(app, "logs"), url.Values{"kind": {"sample"}, "from": {from.Format(time.RFC3339Nano)}, "limit": {"100"}}, nil, &list)
			return list.Records, err
		},
	}
}

func highest(now *float64, n record.Number) *float64 {
	if !n.Known || now != nil && *now >= n.Value {
		return now
	}
	return &n.Value
}

// storedRequests returns the GET and HEAD requests that an app was asked in a
// time, oldest first, at most maxReplayed, and how many others there were.
func (s *session) storedRequests(app string, from, to time.Time) (hits []reqsim.Hit, others int, err error) {
	query := url.Values{"kind": {"request"}, "from": {from.Format(time.RFC3339Nano)}, "to": {to.Format(time.RFC3339Nano)}, "limit": {strconv.Itoa(1000)}}
	for len(hits)+others < maxReplayed {
		var page struct {
			Records []record.Record
			Cursor  string
		}
		if err := s.get(appPath(app, "logs"), query, &page); err != nil {
			return nil, 0, err
		}
		for _, r := range page.Records {
			if r.Method != "GET" && r.Method != "HEAD" {
				others++
				continue
			}
			took := time.Duration(r.Dur.Value * float64(time.Millisecond)) // the record is of when it ended
			hits = append(hits, reqsim.Hit{At: max(r.Time.Sub(from)-took, 0), Method: r.Method, Path: r.URL, Name: r.Route})
		}
		if page.Cursor == "" {
			break
		}
		query.Set("cursor", page.Cursor)
	}
	slices.SortStableFunc(hits, func(a, b reqsim.Hit) int { return int(a.At - b.At) })
	return hits, others, nil
}
