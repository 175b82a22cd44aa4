package policy

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// span says a length of time as people do.
func span(d time.Duration) string {
	switch {
	case d == time.Minute:
		return "1 minute"
	case d > 0 && d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + " minutes"
	}
	return strconv.FormatFloat(tidy(d.Seconds()), 'f', -1, 64) + " s"
}

// figure writes v with one decimal below 100 and none above.
func figure(v float64) string { return strconv.FormatFloat(tidy(v), 'f', -1, 64) }

// tidy keeps one decimal below 100.
func tidy(v float64) float64 {
	if math.Abs(v) >= 100 {
		return math.Round(v)
	}
	return math.Round(v*10) / 10
}

// count says n of a noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
