package dashboard

import (
	"math"
	"strconv"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"
)

// accuracy is the relative error of every quantile that the dashboard shows.
const accuracy = 0.01

// Durations are clamped to these milliseconds before they enter a sketch: the
// number of its bins is then bounded, at about 1 150.
const (
	shortest = 0.001
	longest  = 1e7
)

// bins is shared by all sketches, so that each can be merged with each.
var bins = newBins()

func newBins() *mapping.LogarithmicMapping {
	m, err := mapping.NewLogarithmicMapping(accuracy)
	if err != nil {
		panic(err) // accuracy is a constant within the bounds of the mapping
	}
	return m
}

// sketch holds durations in milliseconds and answers their quantiles.
type sketch struct{ dd *ddsketch.DDSketch }

func newSketch() *sketch {
	return &sketch{ddsketch.NewDDSketch(bins, store.NewBufferedPaginatedStore(), store.NewBufferedPaginatedStore())}
}

// add counts one duration; what is not a number is left out.
func (s *sketch) add(ms float64) {
	if math.IsNaN(ms) || ms < 0 {
		return
	}
	// The only error is a value outside the mapping's range, which the clamp rules out.
	_ = s.dd.Add(min(max(ms, shortest), longest))
}

// merge adds all that other holds.
func (s *sketch) merge(other *sketch) {
	if other != nil {
		_ = s.dd.MergeWith(other.dd) // fails for differing mappings only, and there is one
	}
}

// quantile returns the q-quantile by nearest rank, so that the p99 of a few
// values is the highest of them; NaN where nothing was added.
func (s *sketch) quantile(q float64) float64 {
	if s == nil || s.dd.IsEmpty() {
		return unknown
	}
	n := s.dd.GetCount()
	// The library takes the value whose rank from 0 is above q·(n-1).
	rank := max(math.Ceil(q*n)-1, 0) + 0.5
	v, err := s.dd.GetValueAtQuantile(min(rank/max(n-1, 1), 1))
	if err != nil {
		return unknown
	}
	return v
}

// unknown stands for a figure that is not known; it is written as null.
var unknown = math.NaN()

// appendFigure writes v with at most three decimals below ten and two above,
// null where it is unknown.
func appendFigure(dst []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(dst, "null"...)
	}
	unit := 100.0
	if math.Abs(v) < 10 {
		unit = 1000
	}
	return strconv.AppendFloat(dst, math.Round(v*unit)/unit, 'f', -1, 64)
}
