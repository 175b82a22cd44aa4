package reqsim

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
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

// StreamPlan says which synthetic records to send to an agent. A shape goes on
// after its duration: waves and spikes again, a ramp at its peak.
type StreamPlan struct {
	Socket     string        // the agent's platform socket
	Records    int           // at most MaxRecords
	Rate       float64       // records per second, where the shape begins; 0: DefaultStreamRate; below 0: as fast as they are acknowledged
	Shape      Shape         // empty: Constant; Ramp, Spike and Sine have a Peak
	Peak       float64       // records per second
	Duration   time.Duration // of a ramp, and of a wave or spike without a Period
	Period     time.Duration
	Tenant     string // empty: the default tenant
	App        string
	Form       RecordForm
	MaxRecords int // 0: DefaultMaxRecords
	Log        *slog.Logger
}

// StreamReport is the outcome of a stream.
type StreamReport struct {
	Records      int     `json:"records"` // sent
	Requests     int     `json:"requests"`
	Logs         int     `json:"logs"`
	Events       int     `json:"events"`
	Acknowledged int     `json:"acknowledged"`
	Seconds      float64 `json:"seconds"` // until the last acknowledgement
	Rate         float64 `json:"rate"`    // acknowledged per second
}

// JSON returns the report as one indented JSON document.
func (r StreamReport) JSON() ([]byte, error) { return json.MarshalIndent(r, "", "  ") }

// Text returns the report for reading.
func (r StreamReport) Text() string {
	return fmt.Sprintf("%d records sent (%d requests, %d log lines, %d events), %d acknowledged in %s, %.0f/s\n",
		r.Records, r.Requests, r.Logs, r.Events, r.Acknowledged, seconds(r.Seconds), r.Rate)
}

func (p StreamPlan) complete() (StreamPlan, error) {
	if p.Tenant == "" {
		p.Tenant = paas.DefaultTenant
	}
	if p.Rate == 0 {
		p.Rate = DefaultStreamRate
	}
	p.Shape, p.Period = cmp.Or(p.Shape, Constant), cmp.Or(p.Period, p.Duration)
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
	case p.Shape != Constant && !slices.Contains([]Shape{Ramp, Spike, Sine}, p.Shape):
		return p, fmt.Errorf("records do not come in the shape %q: use constant, ramp, spike or sine", p.Shape)
	case p.Shape != Constant && (p.Rate < 0 || p.Peak < 0 || p.Rate+p.Peak == 0 || p.Duration <= 0 || p.Period <= 0):
		return p, fmt.Errorf("the shape %s goes from %g to %g records/s within %s: give rates of 0 or more and a time above 0", p.Shape, p.Rate, p.Peak, p.Period)
	}
	return p, p.Form.complete()
}

// by returns the records due until second t of the stream.
func (p StreamPlan) by(t float64) float64 {
	c := curve{shape: p.Shape, rate: p.Rate, peak: p.Peak, duration: p.Duration.Seconds(), period: p.Period.Seconds()}
	if p.Shape == Ramp && t > c.duration {
		return c.by(c.duration) + p.Peak*(t-c.duration)
	}
	return c.by(t)
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
		if n := int(s.plan.by(time.Since(s.began).Seconds())) + 1 - s.report.Records; n > 0 {
			return min(n, room), ctx.Err()
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(time.Duration(min(0.01, 1/max(s.plan.Rate, s.plan.Peak)) * float64(time.Second))):
		}
	}
}

// send makes one record and hands it to the client, which has room for it.
func (s *sender) send() {
	r := s.plan.Form.make(s.report.Records, time.Now(), s.plan.Tenant, s.plan.App)
	switch r.Kind {
	case record.KindRequest:
		s.report.Requests++
	case record.KindLog:
		s.report.Logs++
	default:
		s.report.Events++
	}
	s.report.Records++
	s.client.Send(&r)
}
