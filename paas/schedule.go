package paas

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A schedule raises the smallest number of replicas at set times, in UTC:
// "Mon-Fri 08:00-18:00 3; Sat 10:00-14:00 2". A span that ends before it
// begins lasts over midnight and belongs to the day on which it begins.
type span struct {
	days     [7]bool // by time.Weekday
	from, to int     // minutes of the day
	min      int
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// Floor returns the smallest number of replicas at a time: Min, or what the
// schedule asks for where that is more. A schedule that cannot be read asks
// for nothing; Check refuses it.
func (p Policy) Floor(at time.Time) int {
	floor := p.Min
	spans, err := parseSchedule(p.Schedule)
	if err != nil {
		return floor
	}
	at = at.UTC()
	minute, day := at.Hour()*60+at.Minute(), int(at.Weekday())
	for _, s := range spans {
		today := s.days[day] && minute >= s.from && (minute < s.to || s.to <= s.from)
		late := s.days[(day+6)%7] && s.to <= s.from && minute < s.to
		if today || late {
			floor = max(floor, s.min)
		}
	}
	return floor
}

func parseSchedule(text string) ([]span, error) {
	var spans []span
	for part := range strings.SplitSeq(text, ";") {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		s, err := parseSpan(words)
		if err != nil {
			return nil, fmt.Errorf("%q %w: write it as Mon-Fri 08:00-18:00 3; Sat 10:00-14:00 2 (UTC, replicas at the end)", strings.Join(words, " "), err)
		}
		spans = append(spans, s)
	}
	return spans, nil
}

func parseSpan(words []string) (s span, err error) {
	if len(words) != 3 {
		return s, fmt.Errorf("has %d words", len(words))
	}
	if s.days, err = parseDays(words[0]); err != nil {
		return s, err
	}
	from, to, ok := strings.Cut(words[1], "-")
	begin, err1 := time.Parse("15:04", from)
	end, err2 := time.Parse("15:04", to)
	if !ok || err1 != nil || err2 != nil {
		return s, fmt.Errorf("has the time %q", words[1])
	}
	s.from, s.to = begin.Hour()*60+begin.Minute(), end.Hour()*60+end.Minute()
	if s.min, err = strconv.Atoi(words[2]); err != nil || s.min < 1 || s.min > MaxReplicas {
		return s, fmt.Errorf("asks for %q replicas", words[2])
	}
	return s, nil
}

// parseDays reads "Mon", "Mon-Fri" or "Sat,Sun".
func parseDays(text string) (days [7]bool, err error) {
	for part := range strings.SplitSeq(strings.ToLower(text), ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, to := slices.Index(weekdays, first), slices.Index(weekdays, last)
		if from < 0 || to < 0 {
			return days, fmt.Errorf("has the day %q", part)
		}
		for d := from; ; d = (d + 1) % 7 {
			days[d] = true
			if d == to {
				break
			}
		}
	}
	return days, nil
}
