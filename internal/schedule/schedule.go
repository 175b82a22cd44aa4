// Package schedule reads when something is to be done again and again, in the
// form of crontab(5).
package schedule

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // a static binary may run where there is no /usr/share/zoneinfo

	"github.com/robfig/cron/v3"
)

// Schedule tells when something is due.
type Schedule interface {
	// Next returns the first time after t.
	Next(t time.Time) time.Time
}

// Bounds of a schedule.
const (
	maxText  = 120
	minEvery = time.Minute
)

const form = "write five fields (minute hour day-of-month month day-of-week), such as `30 3 * * *`, or @hourly, @daily, @weekly, @monthly, @yearly, `@every 90m`; `CRON_TZ=Europe/Berlin` before them sets a time zone other than UTC"

// Parse reads five fields, or one of the words that begin with @, in UTC unless
// CRON_TZ=ZONE comes first. Its error says what is expected.
func Parse(text string) (Schedule, error) {
	text = strings.TrimSpace(text)
	spec := text
	if zone, rest, named := strings.Cut(text, " "); named && (strings.HasPrefix(zone, "CRON_TZ=") || strings.HasPrefix(zone, "TZ=")) {
		spec = strings.TrimSpace(rest)
	} else {
		text = "CRON_TZ=UTC " + text
	}
	if spec == "" || len(text) > maxText || strings.HasPrefix(spec, "TZ=") || strings.HasPrefix(spec, "CRON_TZ=") {
		return nil, fmt.Errorf("%q is no schedule: %s", spec, form)
	}
	s, err := cron.ParseStandard(text)
	if err != nil {
		return nil, fmt.Errorf("%q is no schedule (%w): %s", spec, err, form)
	}
	if every, ok := s.(cron.ConstantDelaySchedule); ok && every.Delay < minEvery {
		return nil, fmt.Errorf("%q comes too often: once a minute is the most", spec)
	}
	if s.Next(time.Now()).IsZero() {
		return nil, fmt.Errorf("%q never comes", spec)
	}
	return s, nil
}
