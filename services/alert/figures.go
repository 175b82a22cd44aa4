package alert

import (
	"math"
	"strconv"
	"strings"
	"time"

	"kurama/logship/record"
)

// Figures are what is known about an app at one moment, by the names that
// conditions use. A figure that is not known is absent; it is never 0.
type Figures map[string]float64

// unit is what a figure is measured in.
type unit uint8

const (
	unitNone    unit = iota // a bare number: fits every figure
	unitPercent             // 0 to 100, more where a replica exceeds its limit
	unitMillis              // milliseconds
	unitRate                // requests per second
	unitCount
	unitLevel  // the numbers of record.Level
	unitStatus // HTTP status
)

// String names u as an error message says it.
func (u unit) String() string {
	return [...]string{"a bare number", "percent", "a time", "requests per second", "a count", "a log level", "an HTTP status"}[u]
}

// figure is a name that conditions may use.
type figure struct {
	name string
	unit unit
}

// The resource figures are the highest of the replicas' last samples; the
// request figures are about the last 60 seconds.
var figures = []figure{
	{"cpu", unitPercent}, {"mem", unitPercent}, {"disk", unitPercent}, {"swap", unitPercent},
	{"replicas", unitCount}, {"inflight", unitCount},
	{"requests", unitCount}, {"rate", unitRate}, {"error_rate", unitPercent},
	{"p50", unitMillis}, {"p95", unitMillis}, {"p99", unitMillis},
	{"status", unitStatus}, {"level", unitLevel},
}

var levels = map[string]record.Level{
	"DEBUG": record.LevelDebug, "INFO": record.LevelInfo, "WARNING": record.LevelWarning,
	"ERROR": record.LevelError, "CRITICAL": record.LevelCritical,
}

// figureUnit returns the unit of the figure called name.
func figureUnit(name string) (unit, bool) {
	for _, f := range figures {
		if f.name == name {
			return f.unit, true
		}
	}
	return unitNone, false
}

// allowed lists what a condition may be made of, for error messages.
func allowed() string {
	names := make([]string, len(figures))
	for i, f := range figures {
		names[i] = f.name
	}
	return "Figures are " + strings.Join(names, ", ") +
		"; over a window of your choice p95(dur, \"5m\") and others, count(level >= ERROR, \"5m\"), rate(\"1m\"), nodata(\"5m\"), new_exception(), oom()" +
		"; compare them with > >= < <= == !=, join comparisons with and, or, not, and end with `for 1m` to wait. " +
		"Levels are DEBUG, INFO, WARNING, ERROR, CRITICAL."
}

// format writes v in unit u as a person would say it.
func format(u unit, v float64) string {
	switch u {
	case unitPercent:
		return decimal(v) + " %"
	case unitMillis:
		if math.Abs(v) >= 1000 {
			return decimal(v/1000) + " s"
		}
		return decimal(v) + " ms"
	case unitRate:
		return decimal(v) + " req/s"
	case unitLevel:
		for name, l := range levels {
			if float64(l) == v {
				return name
			}
		}
	}
	return decimal(v)
}

// decimal writes v with one decimal at the most, and two significant digits
// where it is small.
func decimal(v float64) string {
	if a := math.Abs(v); a > 0 && a < 0.1 {
		return strconv.FormatFloat(v, 'g', 2, 64)
	}
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

// spell writes d as a person would say it: 45 s, 1 min, 1 h 30 min.
func spell(d time.Duration) string {
	d = d.Round(time.Second)
	parts := []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}
	var said []string
	for _, p := range parts {
		if n := d / p.unit; n > 0 && len(said) < 2 {
			said = append(said, strconv.Itoa(int(n))+" "+p.name)
			d -= n * p.unit
		}
	}
	if len(said) == 0 {
		return "0 s"
	}
	return strings.Join(said, " ")
}
