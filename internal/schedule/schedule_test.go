package schedule

import (
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	at := func(text string) time.Time {
		t.Helper()
		v, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	from := at("2026-11-20T16:05:30Z") // a Friday
	next := func(text, want string) {
		t.Helper()
		s, err := Parse(text)
		if err != nil {
			t.Error(err)
			return
		}
		if got := s.Next(from); !got.Equal(at(want)) {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	next("*/15 * * * *", "2026-11-20T16:15:00Z")
	next("30 3 * * *", "2026-11-21T03:30:00Z")
	next("0 9 * * mon-fri", "2026-11-23T09:00:00Z")
	next("0 0 1 1 *", "2027-01-01T00:00:00Z")
	next("0 0 13 * fri", "2026-11-27T00:00:00Z") // either day counts, as in crontab(5)
	next(" @daily ", "2026-11-21T00:00:00Z")
	next("@every 90m", "2026-11-20T17:35:30Z")
	next("CRON_TZ=Europe/Berlin 0 6 * * *", "2026-11-21T05:00:00Z")

	wrong := func(text, part string) {
		t.Helper()
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: got %v", text, err)
		}
	}
	wrong("", "is no schedule")
	wrong("* * * *", "expected exactly 5 fields")
	wrong("* * * * * *", "expected exactly 5 fields")
	wrong("61 * * * *", "is no schedule")
	wrong("@reboot", "is no schedule")
	wrong("@every 1s", "too often")
	wrong("0 0 30 2 *", "never comes")
	wrong("CRON_TZ=Nowhere/Town 0 6 * * *", "is no schedule")
	wrong("TZ=0", "is no schedule")
	wrong("CRON_TZ=UTC TZ=0", "is no schedule")
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"*/5 * * * *", "@daily", "@every 1h", "TZ=UTC 0 0 * * *", "TZ=0", "0-59/99999999999 * * * *"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		now := time.Date(2026, 11, 20, 16, 5, 30, 0, time.UTC)
		if next := s.Next(now); !next.After(now) {
			t.Errorf("%q: after %s comes %s", text, now, next)
		}
	})
}
