package reqsim

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"kurama/logship/record"
	"kurama/logship/wire"
	"kurama/paas"
)

// The bounds of a stream plan that does not set its own.
const (
	// DefaultStreamRate stays below the agent's default limit per app, above
	// which it drops and counts.
	DefaultStreamRate = 10_000
	DefaultMaxRecords = 10_000_000
)

// window is how many records are under way at most before they must be
// acknowledged; the client's buffer holds twice as many, so that none is dropped.
const window = 20_000

// StreamPlan says which synthetic records to send to an agent.
type StreamPlan struct {
	Socket     string  // the agent's platform socket
	Records    int     // half requests, half log lines; at most MaxRecords
	Rate       float64 // records per second; 0: DefaultStreamRate; below 0: as fast as they are acknowledged
	Tenant     string  // empty: the default tenant
	App        string
	MaxRecords int // 0: DefaultMaxRecords
	Log        *slog.Logger
}

// StreamReport is the outcome of a stream.
type StreamReport struct {
	Records      int     `json:"records"` // sent
	Requests     int     `json:"requests"`
	Logs         int     `json:"logs"`
	Acknowledged int     `json:"acknowledged"`
	Seconds      float64 `json:"seconds"` // until the last acknowledgement
	Rate         float64 `json:"rate"`    // acknowledged per second
}

// JSON returns the report as one indented JSON document.
func (r StreamReport) JSON() ([]byte, error) { return json.MarshalIndent(r, "", "  ") }

// Text returns the report for reading.
func (r StreamReport) Text() string {
	return fmt.Sprintf("%d records sent (%d requests, %d log lines), %d acknowledged in %s, %.0f/s\n",
		r.Records, r.Requests, r.Logs, r.Acknowledged, seconds(r.Seconds), r.Rate)
}

func (p StreamPlan) complete() (StreamPlan, error) {
	if p.Tenant == "" {
		p.Tenant = paas.DefaultTenant
	}
	if p.Rate == 0 {
		p.Rate = DefaultStreamRate
	}
	if p.MaxRecords == 0 {
		p.MaxRecords = DefaultMaxRecords
	}
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case p.Socket == "":
		return p, fmt.Errorf("no socket is given: name the agent's socket, RUN/agent.sock")
	case p.App == "":
		return p, fmt.Errorf("no app is given: name the app that the records are to be of")
	case p.Records < 1 || p.Records > p.MaxRecords:
		return p, fmt.Errorf("the records are %d: give 1 to %d", p.Records, p.MaxRecords)
	}
	return p, nil
}

// Stream sends records to the agent and waits until all are acknowledged. When
// ctx ends before, it returns what was acknowledged so far, with an error.
func Stream(ctx context.Context, plan StreamPlan, progress func(sent int)) (StreamReport, error) {
	plan, err := plan.complete()
	if err != nil {
		return StreamReport{}, err
	}
	client := wire.New(plan.Socket, wire.Options{Buffer: 2 * window, Log: plan.Log})
	running, stop := context.WithCancel(context.Background())
	var connection sync.WaitGroup
	connection.Go(func() { _ = client.Run(running) }) // returns nil always
	defer connection.Wait()
	defer stop()

	s := &sender{plan: plan, client: client, began: time.Now(), progress: progress}
	err = s.run(ctx)
	s.report.Seconds = round(time.Since(s.began).Seconds())
	if s.report.Seconds > 0 {
		s.report.Rate = round(float64(s.report.Acknowledged) / s.report.Seconds)
	}
	return s.report, err
}

type sender struct {
	plan     StreamPlan
	client   *wire.Client
	began    time.Time
	report   StreamReport
	progress func(int)
}

// run sends in portions: as many records as are due, at most a window.
func (s *sender) run(ctx context.Context) error {
	for s.report.Records < s.plan.Records {
		due, err := s.due(ctx)
		if err != nil {
			return err
		}
		for range due {
			s.send()
		}
		if s.report.Records-s.report.Acknowledged >= window || s.report.Records == s.plan.Records {
			if err := s.client.Flush(ctx); err != nil {
				return fmt.Errorf("waiting for the agent at %s: %w", s.plan.Socket, err)
			}
			s.report.Acknowledged = s.report.Records
		}
		if s.progress != nil {
			s.progress(s.report.Records)
		}
	}
	return nil
}

// due waits for the next records and returns how many there are.
func (s *sender) due(ctx context.Context) (int, error) {
	room := min(window-(s.report.Records-s.report.Acknowledged), s.plan.Records-s.report.Records)
	if s.plan.Rate < 0 {
		return room, ctx.Err()
	}
	for {
		if n := int(time.Since(s.began).Seconds()*s.plan.Rate) + 1 - s.report.Records; n > 0 {
			return min(n, room), ctx.Err()
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(time.Duration(min(0.01, 1/s.plan.Rate) * float64(time.Second))):
		}
	}
}

// send makes one record and hands it to the client, which has room for it.
func (s *sender) send() {
	r := synthetic(s.report.Records, time.Now(), s.plan.Tenant, s.plan.App)
	if r.Kind == record.KindRequest {
		s.report.Requests++
	} else {
		s.report.Logs++
	}
	s.report.Records++
	s.client.Send(&r)
}

// synthetic makes the record number n: requests and log lines in turn, with
// durations between 1 and 200 ms and one error in a hundred.
func synthetic(n int, now time.Time, tenant, app string) record.Record {
	route := []string{"/", "/item/<id>", "/search", "/cart"}[n/2%4]
	r := record.Record{Time: now, ID: record.NewID(now), Kind: record.KindLog, Level: record.LevelInfo, Tenant: tenant, App: app, Release: 1,
		Replica: app + "-1-reqsim", Method: "GET", URL: "/synthetic/" + strconv.Itoa(n/2), Route: route, Msg: "synthetic record " + strconv.Itoa(n),
		CPU: record.Num(float64(n % 100)), Disk: record.Num(1), Swap: record.Num(0), Mem: record.Num(40), Req: "reqsim-" + strconv.Itoa(n/2)}
	if n%2 == 1 {
		return r
	}
	ms := 1 + float64(n/2*7919%1990)/10
	r.Kind, r.Status, r.Dur, r.Queue, r.CPUMs = record.KindRequest, 200, record.Num(ms), record.Num(0), record.Num(ms/4)
	if n/2%100 == 99 {
		r.Status, r.Level = 500, record.LevelError
	}
	r.Msg = fmt.Sprintf("GET %s %d %.1f ms", r.URL, r.Status, ms)
	return r
}
