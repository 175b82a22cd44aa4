package persist

import (
	"maps"
	"math"
	"slices"
	"time"

	"kurama/logship/record"
)

// binWidth is the logarithm of 1.02: each bin of response times is 2 % wide,
// so that its middle is within 1 % of what it holds.
const binWidth = "0.019802627296179713"

const growth = 1.02 // of a bin over the one below

// tally counts the requests of a step.
type tally struct {
	at      time.Time
	classes [6]int64 // by the first digit of the status
	bins    map[int]int64
	timed   int64
}

func (t *tally) add(class int, bin *int, n int64) {
	if class < 1 || class > 5 {
		class = 5 // nobody answered
	}
	t.classes[class] += n
	if bin == nil {
		return
	}
	if t.bins == nil {
		t.bins = map[int]int64{}
	}
	t.bins[*bin] += n
	t.timed += n
}

func (t *tally) requests() Requests {
	c := t.classes
	r := Requests{At: t.at, S2: c[1] + c[2], S3: c[3], S4: c[4], S5: c[5]}
	r.Count = r.S2 + r.S3 + r.S4 + r.S5
	bins := slices.Sorted(maps.Keys(t.bins))
	for quantile, into := range map[float64]*record.Number{0.50: &r.P50, 0.95: &r.P95, 0.99: &r.P99} {
		*into = t.quantile(bins, quantile)
	}
	return r
}

// quantile returns the middle of the bin in which the quantile lies.
func (t *tally) quantile(bins []int, quantile float64) record.Number {
	rank := int64(math.Ceil(quantile * float64(t.timed)))
	for _, bin := range bins {
		if rank -= t.bins[bin]; rank <= 0 {
			return record.Num(math.Pow(growth, float64(bin)-0.5))
		}
	}
	return record.Number{}
}
