package policy

import (
	"time"

	"kurama/logship/record"
)

// last returns the seconds of the window that ends now.
func (r *round) last(window time.Duration) []Second {
	list := r.samples.Seconds
	from := r.now.Add(-window)
	i := len(list)
	for i > 0 && list[i-1].At.After(from) {
		i--
	}
	return list[i:]
}

// mean returns the mean of the known values of a figure, and their number.
func mean(list []Second, of func(*Second) record.Number) (v float64, n int) {
	for i := range list {
		if f := of(&list[i]); f.Known {
			v += f.Value
			n++
		}
	}
	if n == 0 {
		return 0, 0
	}
	return v / float64(n), n
}

func cpuOf(s *Second) record.Number         { return s.CPU }
func concurrencyOf(s *Second) record.Number { return s.Concurrency }
func arrivedOf(s *Second) record.Number     { return s.Arrived }

// ready returns the number of replicas that took requests when that was last
// told, at most 5 s ago.
func (r *round) ready() (n int, known bool) {
	list := r.last(5 * time.Second)
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Ready.Known {
			return int(list[i].Ready.Value), true
		}
	}
	return 0, false
}

// Wanted is a number of replicas at a time.
type Wanted struct {
	At time.Time
	N  int
}

// since returns what of list is not older than the window, in a list of its
// own, so that earlier states stay as they are.
func since(list []Wanted, from time.Time) []Wanted {
	kept := make([]Wanted, 0, len(list)+1)
	for _, w := range list {
		if !w.At.Before(from) {
			kept = append(kept, w)
		}
	}
	return kept
}
