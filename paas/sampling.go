package paas

import "time"

// Sampling orders the workers of an app to sample the stacks of their requests.
type Sampling struct {
	Until time.Time
	Hz    float64 // samples a second, of each thread
}
