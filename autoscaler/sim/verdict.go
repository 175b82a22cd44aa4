package sim

// Verdict tells how one scaler does against another over all cases.
type Verdict struct {
	Against   string   `json:"against"`
	Cases     int      `json:"cases"`
	Both      int      `json:"both"`      // at least as good in late requests and in cost
	Late      int      `json:"late"`      // in late requests
	Cost      int      `json:"cost"`      // in cost
	Served    int      `json:"served"`    // cases in which the other had at most 5 % of the requests late
	Fair      int      `json:"fair"`      // of those, at least as good in both
	Reversals int      `json:"reversals"` // no more than 1.2 times the reversals
	Losses    []string `json:"losses"`    // cases that are not in Both: load, plant and what was worse

	// What the oracle would reach against the other, which knows the load
	// beforehand: no policy can be expected to do better.
	OracleBoth      int `json:"oracle_both"`
	OracleReversals int `json:"oracle_reversals"`
}

// reversalsMost is how many times the reversals of the other are no more than its.
const reversalsMost = 1.2

// servedMost is the share of late requests up to which a scaler serves at all:
// one that stands still is cheap, and that is no merit.
const servedMost = 0.05

// Judge compares a scaler with the others, case by case. It is as good in a
// figure unless it is worse beyond chance: unless the 95 % confidence interval
// of the differences on the same seeds lies above 0. On equal runs that is
// equal, so that neither wins by noise.
func Judge(results []Result, name string) []Verdict {
	mine, oracles := of(results, name), of(results, Oracle)
	var order []string
	verdicts := map[string]*Verdict{}
	for _, r := range results {
		key := r.Load + " on " + r.Plant
		me, ok := mine[key]
		if !ok || r.Scaler == name {
			continue
		}
		v := verdicts[r.Scaler]
		if v == nil {
			v = &Verdict{Against: r.Scaler, Losses: []string{}}
			verdicts[r.Scaler] = v
			order = append(order, r.Scaler)
		}
		v.add(key, me, r)
		if o, ok := oracles[key]; ok {
			v.addOracle(o, r)
		}
	}
	list := make([]Verdict, 0, len(order))
	for _, name := range order {
		list = append(list, *verdicts[name])
	}
	return list
}

// of returns what one scaler came to, by case.
func of(results []Result, name string) map[string]Result {
	found := map[string]Result{}
	for _, r := range results {
		if r.Scaler == name {
			found[r.Load+" on "+r.Plant] = r
		}
	}
	return found
}

func (v *Verdict) addOracle(oracle, other Result) {
	if lateNotWorse(oracle, other) && costNotWorse(oracle, other) {
		v.OracleBoth++
	}
	if calm(oracle, other) {
		v.OracleReversals++
	}
}

func lateNotWorse(me, other Result) bool {
	return notWorse(me, other, func(o Outcome) float64 { return o.Late })
}

func costNotWorse(me, other Result) bool {
	return notWorse(me, other, func(o Outcome) float64 { return o.ReplicaSeconds })
}

// calm reports whether me changes direction hardly more often than other.
func calm(me, other Result) bool {
	return me.Figure["reversals"].Mean <= reversalsMost*other.Figure["reversals"].Mean
}

func (v *Verdict) add(key string, me, other Result) {
	v.Cases++
	late, cost := lateNotWorse(me, other), costNotWorse(me, other)
	if late {
		v.Late++
	}
	if cost {
		v.Cost++
	}
	if served := other.Figure["late"].Mean <= servedMost; served {
		v.Served++
		if late && cost {
			v.Fair++
		}
	}
	switch {
	case late && cost:
		v.Both++
	case late:
		v.Losses = append(v.Losses, key+": cost")
	case cost:
		v.Losses = append(v.Losses, key+": late")
	default:
		v.Losses = append(v.Losses, key+": late and cost")
	}
	if calm(me, other) {
		v.Reversals++
	}
}

// notWorse reports whether the runs of me are not above those of other beyond chance.
func notWorse(me, other Result, of func(Outcome) float64) bool {
	diffs := make([]float64, len(me.runs))
	for i := range me.runs {
		diffs[i] = of(me.runs[i]) - of(other.runs[i])
	}
	f := figuresOf(diffs)
	return f.Mean <= f.Half || f.Mean <= 0
}
