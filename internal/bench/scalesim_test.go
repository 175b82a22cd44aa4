package main

import (
	"slices"
	"testing"
	"time"
)

func TestStartsAreReadFromTheNumbersOfReplicas(t *testing.T) {
	began := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	var seen []looked
	for _, l := range [][3]int{{0, 1, 1}, {2, 4, 1}, {3, 4, 2}, {5, 5, 4}, {6, 3, 4}, {7, 3, 3}, {9, 4, 3}, {10, 4, 4}} { // s, wanted, ready
		seen = append(seen, looked{began.Add(time.Duration(l[0]) * time.Second), l[1], l[2]})
	}
	if got := startsOf(seen); !slices.Equal(got, []float64{1, 3, 3, 1}) {
		t.Errorf("starts of %v s", got)
	}
	if got := perSecond(seen, began, 8*time.Second); !slices.Equal(got, []float64{1, 1, 1, 2, 2, 4, 4, 3}) {
		t.Errorf("%v ready", got)
	}
}

func TestTheSimulatedStepGoesUpAndDown(t *testing.T) {
	curve, err := simulatedCurve(t.Context(), []float64{1, 2}, 0.051, 0.05, 160)
	if err != nil {
		t.Fatal(err)
	}
	if most, end := slices.Max(curve[20:60]), curve[159]; curve[10] > 1.01 || most < 3 || most > 6.01 || end > 1.01 {
		t.Errorf("%.1f replicas at most, %.1f in the end: %.1f", most, end, curve)
	}
}
