package paas

import "math"

// p95Bounds returns bounds of the true p95, each of which is wrong with at most
// the risk; not ok where the requests are too few for an upper one.
func p95Bounds(f RouteFigures, risk float64) (low, high float64, ok bool) {
	const p = 0.95
	n := float64(f.Timed)
	need := math.Log(1 / risk)
	if f.Timed == 0 {
		return 0, 0, false
	}
	far := func(x float64) bool { return n*divergence(x, p) >= need }
	if far(0) {
		low = f.Quantile(bisect(p, 0, far))
	}
	if !far(1) {
		return low, math.Inf(1), false
	}
	return low, f.Quantile(bisect(p, 1, far)), true
}

// shareBounds returns bounds of the true share of which k of n are a sample,
// each of which is wrong with at most the risk.
func shareBounds(k, n int64, risk float64) (low, high float64) {
	x, need := float64(k)/float64(n), math.Log(1/risk)
	far := func(p float64) bool { return float64(n)*divergence(x, p) >= need }
	if k > 0 {
		low = bisect(x, 0, far)
	}
	if high = 1; k < n {
		high = bisect(x, 1, far)
	}
	return low, high
}

// bisect returns the place between near, where ok does not hold, and far, where
// it does, from which on it holds.
func bisect(near, far float64, ok func(float64) bool) float64 {
	for range 50 {
		if middle := (near + far) / 2; ok(middle) {
			far = middle
		} else {
			near = middle
		}
	}
	return far
}

// divergence is that of Kullback and Leibler between coins of probability x and p.
func divergence(x, p float64) float64 {
	part := func(a, b float64) float64 {
		if a == 0 {
			return 0
		}
		return a * math.Log(a/b)
	}
	return part(x, p) + part(1-x, 1-p)
}

func percent(k, n int64) float64 { return 100 * float64(k) / float64(n) }
