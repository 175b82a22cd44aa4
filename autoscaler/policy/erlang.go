package policy

import "math"

// Waits returns the share of requests that wait longer than t seconds where
// busy slots' worth of work meets so many slots and a request takes work
// seconds: Erlang's C for Poisson arrivals and exponential times (A. K.
// Erlang, 1917; M/M/c in any text on queues). 1 where there are too few slots.
func Waits(busy, slots, work, t float64) float64 {
	if busy <= 0 {
		return 0
	}
	if slots <= busy {
		return 1
	}
	blocked := 1.0 // Erlang's B, which has a recursion that does not overflow
	for k := 1.0; k <= slots; k++ {
		blocked = busy * blocked / (k + busy*blocked)
	}
	waits := blocked / (1 - busy/slots*(1-blocked))
	return waits * math.Exp(-(slots-busy)*t/work)
}
