package policy

import (
	"fmt"
	"time"
)

// dataPoint is the period of an alarm's data points, of which half must have
// come.
const dataPoint = time.Minute

// step is AWS' step scaling on two alarms ("Step and simple scaling policies",
// "Using Amazon CloudWatch alarms"): an alarm goes off when the averages of as
// many whole minutes in a row as up_for or down_for has are all beyond their
// limit; each alarm moves the number by one, and cooldown is the pause between
// two moves. A minute without enough figures is missing, which sets no alarm
// off.
func (r *round) step() verdict {
	p := r.policy.Step
	if r.now.Before(r.state.Changed) || r.now.Sub(r.state.Changed) < seconds(p.Cooldown) {
		return verdict{}
	}
	up, down := int(seconds(p.UpFor)/dataPoint), int(seconds(p.DownFor)/dataPoint)
	minutes := r.minutes(max(up, down))
	if len(minutes) > 0 {
		r.inputs["cpu"] = tidy(minutes[0])
	}
	all := func(n int, beyond func(float64) bool) bool {
		if len(minutes) < n {
			return false
		}
		for _, v := range minutes[:n] {
			if !beyond(v) {
				return false
			}
		}
		return true
	}
	switch {
	case all(up, func(v float64) bool { return v > p.Up }):
		return r.want(r.state.Desired+1, fmt.Sprintf("average CPU was above %s %% for %s (the last is %s %%)",
			figure(p.Up), span(dataPoint*time.Duration(up)), figure(minutes[0])))
	case all(down, func(v float64) bool { return v < p.Down }):
		return r.want(r.state.Desired-1, fmt.Sprintf("average CPU was below %s %% for %s (the last is %s %%)",
			figure(p.Down), span(dataPoint*time.Duration(down)), figure(minutes[0])))
	}
	return verdict{}
}

// minutes returns the mean CPU of whole minutes of the clock, the newest
// first, up to n and up to the first that is missing.
func (r *round) minutes(n int) []float64 {
	list := r.samples.Seconds
	end := r.now.Truncate(dataPoint)
	var means []float64
	for i := len(list); len(means) < n; end = end.Add(-dataPoint) {
		for i > 0 && !list[i-1].At.Before(end) {
			i--
		}
		from := i
		for from > 0 && !list[from-1].At.Before(end.Add(-dataPoint)) {
			from--
		}
		v, known := mean(list[from:i], cpuOf)
		if known < int(dataPoint/time.Second)/2 {
			break
		}
		means = append(means, v)
		i = from
	}
	return means
}
