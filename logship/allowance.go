package logship

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// loggedName is the file in the spool's folder with what was logged today.
const loggedName = "logged.json"

// LogLimits is the file of Options.Limits, written by the control plane: bytes
// that the apps of a tenant may log in a day (UTC); 0 is no bound.
type LogLimits struct {
	Default int64            `json:"default"`
	Tenants map[string]int64 `json:"tenants"`
}

// Logged is what the apps of each tenant logged on one day (UTC).
type Logged struct {
	Day     string                  `json:"day"` // 2006-01-02
	Tenants map[string]LoggedTenant `json:"tenants"`
}

// LoggedTenant is what the apps of one tenant logged, as they sent it.
type LoggedTenant struct {
	Bytes   int64 `json:"bytes"`
	Dropped int64 `json:"dropped"` // records beyond the bound
}

// ReadLogged returns what the agent with this spool has counted today; nothing
// where it has counted nothing yet.
func ReadLogged(spoolDir string) (Logged, error) {
	found := Logged{}
	err := readJSON(filepath.Join(spoolDir, loggedName), &found)
	if today := dayOf(time.Now()); found.Day != today {
		found = Logged{Day: today}
	}
	return found, err
}

func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}

// allowance is what a tenant's apps may log in a day, and have.
type allowance struct {
	limit, used, dropped atomic.Int64
}

// take counts n bytes; false means that they are too many.
func (a *allowance) take(n int64) bool {
	limit := a.limit.Load()
	if used := a.used.Add(n); limit == 0 || used <= limit {
		return true
	}
	a.used.Add(-n)
	a.dropped.Add(1)
	return false
}

// allowances counts what tenants log, and keeps the count over restarts.
type allowances struct {
	limitsFile, useFile string

	mu      sync.Mutex
	day     string
	limits  LogLimits
	read    time.Time // when limitsFile was written, as of the last reading
	tenants map[string]*allowance
	saved   Logged
}

// openAllowances goes on where the file in spoolDir ends. The error says why
// it cannot; the count then begins anew.
func openAllowances(limitsFile, spoolDir string, now time.Time) (*allowances, error) {
	a := &allowances{limitsFile: limitsFile, useFile: filepath.Join(spoolDir, loggedName), day: dayOf(now), tenants: map[string]*allowance{}}
	before := Logged{}
	err := readJSON(a.useFile, &before)
	if before.Day == a.day {
		for tenant, l := range before.Tenants {
			one := a.of(tenant)
			one.used.Store(l.Bytes)
			one.dropped.Store(l.Dropped)
		}
	}
	return a, errors.Join(err, a.look(now))
}

// of returns the allowance of a tenant, which all its replicas share.
func (a *allowances) of(tenant string) *allowance {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tenants[tenant] == nil {
		a.tenants[tenant] = &allowance{}
		a.tenants[tenant].limit.Store(a.limits.of(tenant))
	}
	return a.tenants[tenant]
}

func (l LogLimits) of(tenant string) int64 {
	if own, ok := l.Tenants[tenant]; ok {
		return own
	}
	return l.Default
}

// look begins a new day where one has, reads the limits where they have
// changed, and writes the counts where they have.
func (a *allowances) look(now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if today := dayOf(now); today != a.day {
		a.day = today
		for _, one := range a.tenants {
			one.used.Store(0)
			one.dropped.Store(0)
		}
	}
	return errors.Join(a.readLimits(), a.save())
}

func (a *allowances) readLimits() error {
	info, err := os.Stat(a.limitsFile)
	if err != nil || info.ModTime().Equal(a.read) {
		return nil // none was set
	}
	limits := LogLimits{}
	if err := readJSON(a.limitsFile, &limits); err != nil {
		return err
	}
	a.limits, a.read = limits, info.ModTime()
	for tenant, one := range a.tenants {
		one.limit.Store(limits.of(tenant))
	}
	return nil
}

func (a *allowances) save() error {
	now, changed := Logged{Day: a.day, Tenants: map[string]LoggedTenant{}}, a.saved.Day != a.day
	for tenant, one := range a.tenants {
		now.Tenants[tenant] = LoggedTenant{Bytes: one.used.Load(), Dropped: one.dropped.Load()}
		changed = changed || now.Tenants[tenant] != a.saved.Tenants[tenant]
	}
	if !changed {
		return nil
	}
	text, err := json.Marshal(now)
	temp := a.useFile + ".tmp"
	if err == nil {
		err = os.WriteFile(temp, text, 0o644)
	}
	if err == nil {
		err = os.Rename(temp, a.useFile)
	}
	if err != nil {
		return fmt.Errorf("writing what was logged today: %w", err)
	}
	a.saved = now
	return nil
}

// bound is what an app may send: records a second, and with its tenant's other
// apps bytes a day.
type bound struct {
	rate *rate.Limiter
	day  *allowance
}

// refuses counts a record of n bytes and returns why it is dropped; "": it is not.
func (b bound) refuses(now time.Time, n int, causes causes) string {
	switch {
	case !b.rate.AllowN(now, 1):
		return causes.rate
	case !b.day.take(int64(n)):
		return causes.day
	}
	return ""
}

// causes are the words for why records are dropped.
type causes struct{ rate, day string }
