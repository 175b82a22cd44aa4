package policy

import (
	"math"
	"time"
)

// rushRate returns the highest rate (1/s) that the seconds of one of the
// windows of 1 to 15 s show beyond doubt: as many requests as came, less their
// chance deviation. Where the rate climbs, that of when a replica ordered now
// will be up is returned. False where no second is known.
func (r *round) rushRate() (rate float64, known bool) {
	list := r.last(rushWindow)
	sum, n := 0.0, 0.0
	for i := len(list) - 1; i >= 0; i-- {
		if a := list[i].Arrived; a.Known {
			sum += a.Value
			n++
			rate = max(rate, (sum-doubt*math.Sqrt(sum))/n)
		}
	}
	ahead := r.climb() * (r.next.Swift.Start + 2)
	return rate + min(ahead, rate/2), n > 0
}

// climb returns how fast the rate grows (1/s each second), 0 where it does not
// or that may be chance: over half a minute and within its last 10 s, so that a
// step that is over is no climb.
func (r *round) climb() float64 {
	late, n := mean(r.last(10*time.Second), arrivedOf)
	all := r.last(30 * time.Second)
	early, m := mean(all[:len(all)-min(len(r.last(10*time.Second)), len(all))], arrivedOf)
	newest, k := mean(r.last(5*time.Second), arrivedOf)
	if n < 8 || m < 15 || k < 4 {
		return 0
	}
	beyond := func(a, an, b, bn float64) bool { return a-b > doubt*math.Sqrt(a/an+b/bn) }
	older := (late*float64(n) - newest*float64(k)) / float64(n-k)
	if !beyond(late, float64(n), early, float64(m)) || !beyond(newest, float64(k), older, float64(n-k)) {
		return 0
	}
	return (late - early) / 15 // the middles of the two spans lie 15 s apart
}

// highest returns the highest mean rate of any 5 s of the window; false unless
// four fifths of the window are known.
func (r *round) highest(window time.Duration) (rate float64, known bool) {
	list := r.last(window)
	n, from, sum, k := 0, 0, 0.0, 0.0 // k: known seconds of the 5 s that end with a second, sum: theirs
	for _, s := range list {
		if s.Arrived.Known {
			sum, k, n = sum+s.Arrived.Value, k+1, n+1
		}
		for ; !list[from].At.After(s.At.Add(-blockWindow)); from++ {
			if old := list[from].Arrived; old.Known {
				sum, k = sum-old.Value, k-1
			}
		}
		if k > 0 && s.At.Sub(list[0].At) >= blockWindow-time.Second {
			rate = max(rate, sum/k)
		}
	}
	if all, m := mean(list, arrivedOf); m > 0 {
		rate = max(rate, all) // of a window that is hardly longer than 5 s
	}
	return rate, float64(n) >= downShare*window.Seconds()
}

// work returns the mean time that a request takes without waiting, in ms, and
// the requests behind it: of the last half minute, or of longer where there
// were few.
func (r *round) work() (ms float64, done int) {
	list := r.last(workLongest)
	for i := len(list) - 1; i >= 0; i-- {
		if done >= workRequests && r.now.Sub(list[i].At) >= workWindow {
			break
		}
		done += list[i].Done
		ms += list[i].Work
	}
	if done == 0 {
		return 0, 0
	}
	return ms / float64(done), done
}

// cost returns how much of a replica's CPU a request takes, in ms; 0 while too
// few have ended to tell.
func (r *round) cost() float64 {
	spent, done := 0.0, 0
	for _, s := range r.last(workWindow) {
		if s.CPU.Known && s.Ready.Known {
			spent += s.CPU.Value / 100 * s.Ready.Value * 1000
			done += s.Done
		}
	}
	if done < workRequests {
		return 0
	}
	return spent / float64(done)
}

// doneRate returns the requests answered per second of the last 5 s.
func (r *round) doneRate() float64 {
	done := 0
	for _, s := range r.last(blockWindow) {
		done += s.Done
	}
	return float64(done) / blockWindow.Seconds()
}

// response returns the mean response time of the last 5 s in ms, by Little's
// law, so that requests that still wait count too; 0 where none ended.
func (r *round) response() float64 {
	inFlight, n := mean(r.last(blockWindow), concurrencyOf)
	if done := r.doneRate(); n > 0 && done > 0 {
		return inFlight / done * 1000
	}
	return 0
}

// base moves the least mean time of a request on: it follows down at once, and
// up by a thousandth a second, since programs change.
func base(was, work float64) float64 {
	if was == 0 || work < was {
		return work
	}
	return was * 1.001
}
