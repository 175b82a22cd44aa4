package main

import (
	"math"
	"slices"
	"time"
)

// median returns the middle of values, which it leaves as they are; NaN of none.
func median(values []float64) float64 { return quantile(values, 0.5) }

// quantile returns the q-quantile of values, interpolated; NaN of none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

// milliseconds returns durations as numbers of milliseconds.
func milliseconds(list []time.Duration) []float64 {
	out := make([]float64, len(list))
	for i, d := range list {
		out[i] = float64(d) / float64(time.Millisecond)
	}
	return out
}
