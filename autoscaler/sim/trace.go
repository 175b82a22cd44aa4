package sim

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Trace is a record of real traffic: requests per minute.
type Trace struct {
	Minutes []int // a minute that the file leaves out has none
	From    time.Time
}

// ReadTrace reads lines of "minute,count", with or without a header: the minute
// as a time (RFC 3339, or 2006-01-02 15:04), or as seconds since the epoch.
// Lines must be in order; its errors name the line.
func ReadTrace(r io.Reader) (Trace, error) {
	var t Trace
	scanner := bufio.NewScanner(r)
	header := true
	for line := 1; scanner.Scan(); line++ {
		text := strings.TrimSpace(scanner.Text())
		at, n, err := parseMinute(text)
		switch {
		case text == "" || strings.HasPrefix(text, "#"):
			continue
		case err != nil && header && text[0] >= 'A':
			header = false
			continue
		case err != nil:
			return t, fmt.Errorf("line %d: %w", line, err)
		}
		header = false
		if len(t.Minutes) == 0 {
			t.From = at
		}
		i := int(at.Sub(t.From) / time.Minute)
		if i < len(t.Minutes) && len(t.Minutes) > 0 || i > 10_000_000 {
			return t, fmt.Errorf("line %d: %s does not come after the minute before it", line, text)
		}
		for len(t.Minutes) < i {
			t.Minutes = append(t.Minutes, 0)
		}
		t.Minutes = append(t.Minutes, n)
	}
	if err := scanner.Err(); err != nil {
		return t, err
	}
	if len(t.Minutes) == 0 {
		return t, fmt.Errorf("the trace holds no minute: lines are to be minute,count")
	}
	return t, nil
}

func parseMinute(text string) (at time.Time, n int, err error) {
	minute, count, ok := strings.Cut(text, ",")
	if !ok {
		return at, 0, fmt.Errorf("%q is not of the form minute,count", text)
	}
	minute = strings.TrimSpace(minute)
	if n, err = strconv.Atoi(strings.TrimSpace(count)); err != nil || n < 0 {
		return at, 0, fmt.Errorf("%q is not a number of requests", count)
	}
	for _, form := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04"} {
		if at, err = time.Parse(form, minute); err == nil {
			return at.UTC().Truncate(time.Minute), n, nil
		}
	}
	if s, err := strconv.ParseInt(minute, 10, 64); err == nil {
		return time.Unix(s, 0).UTC().Truncate(time.Minute), n, nil
	}
	return at, 0, fmt.Errorf("%q is not a minute", minute)
}

// Day returns the minutes of the day with that number, from 1; false where the
// trace has less.
func (t Trace) Day(number int) (Trace, bool) {
	from := (number - 1) * 1440
	if number < 1 || from >= len(t.Minutes) {
		return Trace{}, false
	}
	return Trace{Minutes: t.Minutes[from:min(from+1440, len(t.Minutes))], From: t.From.AddDate(0, 0, number-1)}, true
}

// Within is a model of what a count per minute does not say: how the requests
// lie within it.
type Within string

// The models.
const (
	Even   Within = "poisson" // at one rate all minute
	Bursty Within = "bursty"  // half of the requests come in a third of its blocks of 5 s
)

// Load makes a load of a trace whose busiest minute has the rate top (requests
// per second). It returns the factor by which the rates were multiplied.
func (t Trace) Load(top float64, within Within, seed uint64) (Load, float64) {
	most := 1
	for _, n := range t.Minutes {
		most = max(most, n)
	}
	factor := top / (float64(most) / 60)
	shape := make([]float64, len(t.Minutes)*12) // per block of 5 s
	r := rand.New(rand.NewPCG(seed, 0x7261))
	for i := range shape {
		shape[i] = 1
		if within == Bursty {
			// 1/3 of the blocks at 1.5 times the mean, 2/3 at 0.75: the mean stays 1.
			shape[i] = 0.75
			if r.IntN(3) == 0 {
				shape[i] = 1.5
			}
		}
	}
	rate := func(s int) float64 {
		return float64(t.Minutes[min(s/60, len(t.Minutes)-1)]) / 60 * factor * shape[min(s/5, len(shape)-1)]
	}
	return Load{Name: string(within), Seconds: len(t.Minutes) * 60, Rate: rate}, math.Round(factor*1e4) / 1e4
}
