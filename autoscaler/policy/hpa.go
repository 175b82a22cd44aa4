package policy

import (
	"fmt"
	"math"
	"time"

	"kurama/logship/record"
)

// hpaPeriod is the time between two looks of Kubernetes' autoscaler, the
// window of its metrics and the period of its rates.
const hpaPeriod = 15 * time.Second

// HPAState is what the policy hpa keeps in mind.
type HPAState struct {
	Looked  time.Time // last look; zero: never
	Needs   []Wanted  // within down_window
	Changes []Wanted  // replicas added (above 0) or taken away within hpaPeriod
}

// hpa is Kubernetes' horizontal pod autoscaler ("Horizontal Pod Autoscaling",
// "Algorithm details" and "Configurable scaling behavior"; the controller's
// replica_calculator.go and horizontal.go): every 15 s the need is what is
// ready × figure / aim, rounded up, unless that ratio is within tolerance of
// 1; the largest over both figures. Replicas that are not ready yet count as
// idle on the way up. Down it goes to the largest need of down_window, and in
// 15 s by down_percent at most; up by up_percent or up_replicas, whichever is
// more. A figure that is missing is no reason to go down. Its first look
// counts the number there is as a need.
func (r *round) hpa() verdict {
	p, st := r.policy.HPA, &r.next.HPA
	if r.now.Sub(st.Looked) < hpaPeriod {
		return verdict{}
	}
	ready, known := r.ready()
	if !known || ready == 0 {
		return verdict{}
	}
	if st.Looked.IsZero() {
		st.Needs = []Wanted{{r.now, r.state.Desired}}
	}
	st.Looked = r.now
	list := r.last(hpaPeriod)
	need, why, missing := 0, "", false
	look := func(name string, aim, unit float64, of func(*Second) record.Number) {
		v, n := mean(list, of)
		if aim == 0 || n == 0 {
			missing = missing || aim > 0
			return
		}
		v /= unit
		r.inputs[name], r.inputs[name+"_aim"] = tidy(v), aim
		if wants := r.proportional(ready, v/aim); wants > need {
			need, why = wants, fmt.Sprintf("%s is %s %% on average over %s (aim %s %%)", name, figure(v), span(hpaPeriod), figure(aim))
		}
	}
	look("cpu", p.CPU, 1, cpuOf)
	look("concurrency", p.Utilization, float64(ready)*r.slots()/100, concurrencyOf)
	if need == 0 || missing && need < r.state.Desired {
		return verdict{}
	}
	r.inputs["ready"], r.inputs["need"] = float64(ready), float64(need)
	return r.behave(need, why)
}

// proportional returns the need for a ratio of figure to aim.
func (r *round) proportional(ready int, ratio float64) int {
	near := func(v float64) bool { return math.Abs(1-v) <= r.policy.HPA.Tolerance/100+1e-9 }
	starting := r.state.Desired - ready
	if ratio <= 1 || starting <= 0 {
		if near(ratio) {
			return r.state.Desired
		}
		return int(math.Ceil(ratio*float64(ready) - 1e-9))
	}
	all := float64(ready + starting)
	idle := ratio * float64(ready) / all
	if near(idle) || idle < 1 {
		return r.state.Desired
	}
	return int(math.Ceil(idle*all - 1e-9))
}

// behave bounds a need by the stabilisation window and the rates.
func (r *round) behave(need int, why string) verdict {
	p, st := r.policy.HPA, &r.next.HPA
	st.Needs = append(since(st.Needs, r.now.Add(-seconds(p.DownWindow))), Wanted{r.now, need})
	to := need
	if need < r.state.Desired {
		for _, w := range st.Needs {
			to = max(to, w.N)
		}
		to = min(to, r.state.Desired)
	}
	st.Changes = since(st.Changes, r.now.Add(-hpaPeriod+time.Nanosecond))
	began := r.state.Desired
	for _, c := range st.Changes {
		began -= c.N
	}
	most := max(began+int(p.UpReplicas), int(math.Ceil(float64(began)*(1+p.UpPercent/100))))
	least := int(float64(began) * (1 - p.DownPercent/100))
	to = max(min(to, max(most, r.state.Desired)), min(least, r.state.Desired), fewestActive)
	v := r.want(to, why)
	if v.to != 0 && v.to != r.state.Desired {
		st.Changes = append(st.Changes, Wanted{r.now, v.to - r.state.Desired})
	}
	return v
}
