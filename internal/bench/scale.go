package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"kurama/internal/client"
	"kurama/paas"
	"kurama/sdk/reqsim"
)

// What is scaled: an app whose requests wait for 50 ms and compute next to
// nothing, so that it is the four slots of a replica that are short.
const (
	scaleApp  = "steps"
	scaleLow  = 20.0
	scaleHigh = 200.0
	scaleCalm = 20 * time.Second // before the step
	scaleRush = 40 * time.Second
	scaleRest = 100 * time.Second // until the app must be back at one replica
	scaleIdle = 10                // s until it sleeps
)

const scaleSource = `import time
from flask import Flask

app = Flask(__name__)

@app.get("/")
def home():
    time.sleep(0.05)
    return "done\n"
`

// looked is how many replicas there were at a time.
type looked struct {
	at             time.Time
	desired, ready int
}

// measureScale sends a step of 20 to 200 requests/s to one replica under the
// policy swift, then lets the app sleep and wakes it.
func (b *bench) measureScale(ctx context.Context) error {
	p, err := b.up(ctx)
	if err != nil {
		return err
	}
	if err := p.deploySteps(ctx); err != nil {
		return err
	}
	if err := p.scaling(ctx, map[string]any{"name": "swift", "min": 1, "max": 6}); err != nil {
		return err
	}
	if err := p.settle(ctx); err != nil {
		return err
	}
	report, seen, err := p.step(ctx)
	if err != nil {
		return err
	}
	decisions, err := p.decisions(ctx)
	if err != nil {
		return err
	}
	b.reportStep(report, seen, decisions)
	if err := b.reportCurve(ctx, p, report, seen); err != nil {
		return err
	}
	woken, err := p.wake(ctx)
	if err != nil {
		return err
	}
	b.report.add(figure{Section: "scale", Name: "request to an app that sleeps, until its answer", Unit: "s", Value: woken.Seconds(), Peer: "bound", PeerValue: 3, Aim: valueAtMost(3)})
	return nil
}

// deploySteps deploys the app and waits until it answers.
func (p *platform) deploySteps(ctx context.Context) error {
	var release paas.Release
	err := p.api.Send(ctx, "/apps/"+scaleApp+"/releases", client.Upload{Body: strings.NewReader(scaleSource), Size: int64(len(scaleSource)),
		ContentType: "text/x-python", FileName: "app.py"}, &release)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return answers(bounded, p.stepsURL(), "done\n")
}

func (p *platform) stepsURL() string {
	return "http://" + strings.Replace(p.router, "localhost", scaleApp+".localhost", 1) + "/"
}

func (p *platform) scaling(ctx context.Context, change map[string]any) error {
	return p.api.Call(ctx, http.MethodPut, "/apps/"+scaleApp+"/scaling", nil, change, nil)
}

// decisions returns what the autoscaler decided about the app, oldest first.
func (p *platform) decisions(ctx context.Context) ([]paas.Decision, error) {
	var list struct{ Decisions []paas.Decision }
	err := p.api.Call(ctx, http.MethodGet, "/apps/"+scaleApp+"/decisions", nil, nil, &list)
	for i, k := 0, len(list.Decisions)-1; i < k; i, k = i+1, k-1 {
		list.Decisions[i], list.Decisions[k] = list.Decisions[k], list.Decisions[i]
	}
	return list.Decisions, err
}

// step sends the load and looks at the app's replicas meanwhile.
func (p *platform) step(ctx context.Context) (reqsim.Report, []looked, error) {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	seen := make(chan []looked, 1)
	go func() { seen <- p.lookOn(watching) }()
	report, err := reqsim.Run(ctx, reqsim.Plan{URL: strings.TrimSuffix(p.stepsURL(), "/"), Phases: []reqsim.Phase{
		{Name: "calm", Rate: scaleLow, Duration: scaleCalm}, {Name: "rush", Rate: scaleHigh, Duration: scaleRush},
		{Name: "rest", Rate: scaleLow, Duration: scaleRest}}}, nil)
	stop()
	list := <-seen
	if err == nil && report.Unsent > 0 {
		err = fmt.Errorf("%d requests were not sent", report.Unsent)
	}
	return report, list, err
}

// lookOn looks at the replicas every 50 ms until ctx ends.
func (p *platform) lookOn(ctx context.Context) (list []looked) {
	for ctx.Err() == nil {
		var view struct{ Desired, Ready int }
		if err := p.api.Call(ctx, http.MethodGet, "/apps/"+scaleApp, nil, nil, &view); err == nil {
			list = append(list, looked{time.Now(), view.Desired, view.Ready})
		}
		pause(ctx, 50*time.Millisecond)
	}
	return list
}

// reportStep makes the figures of the step: how soon replicas were ordered and
// served, what failed, and whether the app came back to one replica straight.
func (b *bench) reportStep(report reqsim.Report, seen []looked, decisions []paas.Decision) {
	rise := report.Began.Add(scaleCalm)
	fall := rise.Add(scaleRush)
	ordered, served, floor, swings := scaleRush, scaleRush, scaleRest, 0
	last := 0
	for _, d := range decisions {
		if d.At.Before(report.Began) {
			continue
		}
		b.say("%6.1f s after the step: %s", d.At.Sub(rise).Seconds(), d.Reason)
		if d.To > d.From && d.At.After(rise) && ordered == scaleRush {
			ordered = d.At.Sub(rise)
		}
		if d.At.After(fall) {
			if last < 0 && d.To > d.From {
				swings++
			}
			last = d.To - d.From
		}
	}
	for _, l := range seen {
		if l.at.After(rise) && l.ready > 1 && served == scaleRush {
			served = l.at.Sub(rise)
		}
		if l.at.After(fall) && l.desired == 1 && l.ready == 1 && floor == scaleRest {
			floor = l.at.Sub(fall)
		}
	}
	add := func(name, unit string, v, bound float64) {
		b.report.add(figure{Section: "scale", Name: name, Unit: unit, Value: v, Peer: "bound", PeerValue: bound, Aim: valueAtMost(bound)})
	}
	add("step of 20 to 200 requests/s, until the first replica is ordered", "s", ordered.Seconds(), 4)
	add("… until it serves", "s", served.Seconds(), 6)
	add("… requests that failed", "", float64(report.Failed), 0)
	add("step back, until one replica is left", "s", floor.Seconds(), scaleRest.Seconds()-1)
	add("… times that it went up again meanwhile", "", float64(swings), 0)
	for _, phase := range report.Phases {
		if phase.Phase == "rush" && phase.Latency != nil {
			b.report.add(figure{Section: "scale", Name: "p95 of the requests of the 40 s after the step", Unit: "ms", Value: phase.Latency.P95, Peer: "the handler", PeerValue: 50})
		}
	}
}

// wake lets the app sleep and returns how long the request takes that wakes it.
func (p *platform) wake(ctx context.Context) (time.Duration, error) {
	if err := p.api.Call(ctx, http.MethodPut, "/apps/"+scaleApp+"/scale", nil, map[string]any{"replicas": 1}, nil); err != nil {
		return 0, err
	}
	if err := p.scaling(ctx, map[string]any{"min": 0, "swift": map[string]any{"idle": scaleIdle}}); err != nil {
		return 0, err
	}
	bounded, cancel := context.WithTimeout(ctx, 40*time.Second)
	defer cancel()
	for state := ""; state != "asleep"; {
		var view struct{ State string }
		if err := p.api.Call(bounded, http.MethodGet, "/apps/"+scaleApp, nil, nil, &view); err != nil {
			return 0, errors.Join(errors.New("the app does not fall asleep"), err)
		}
		state = view.State
		pause(bounded, 100*time.Millisecond)
	}
	began := time.Now()
	err := answers(ctx, p.stepsURL(), "done\n")
	return time.Since(began), err
}
