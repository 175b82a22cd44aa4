package profile

import (
	"math"
	"time"

	"github.com/DataDog/sketches-go/ddsketch"

	"kurama/logship/record"
)

// The sketch's form is fixed for ever: sketches of other forms do not merge.
const (
	accuracy = 0.01 // of every quantile, relative
	maxBins  = 2048 // 80 µs to a year at this accuracy; below, the lowest bins are joined
)

// key names a row of rollups.
type key struct {
	minute      int64 // Unix time of its begin
	tenant, app string
	release     int32
	method      string
	route       string
}

// cell is what a row of rollups holds, or a part of it that is to be merged.
type cell struct {
	requests, errors int64
	durSum           float64 // milliseconds
	cpuSum           float64 // milliseconds
	cpuCount         int64   // requests whose CPU time is known
	dbSum            float64 // milliseconds in database calls
	bytesSum         float64 // of answers
	bytesCount       int64   // requests whose bytes are known
	sketch           *ddsketch.DDSketch
	slow             slow
}

func newSketch() *ddsketch.DDSketch {
	s, err := ddsketch.LogCollapsingLowestDenseDDSketch(accuracy, maxBins)
	if err != nil {
		panic(err) // the constants above are out of range
	}
	return s
}

func newCell() *cell { return &cell{sketch: newSketch()} }

// add counts one request. Figures that are unknown or no durations count
// nothing.
func (c *cell) add(r *record.Record) {
	c.requests++
	if r.Status >= 500 {
		c.errors++
	}
	if duration(r.Dur) && c.sketch.Add(r.Dur.Value) == nil {
		c.durSum += r.Dur.Value
		c.slow.see(r)
	}
	if duration(r.CPUMs) {
		c.cpuSum += r.CPUMs.Value
		c.cpuCount++
	}
	if duration(r.DBMs) {
		c.dbSum += r.DBMs.Value
	}
	if n := r.Bytes; n.Known && n.Value >= 0 && n.Value < 1<<62 {
		c.bytesSum += n.Value
		c.bytesCount++
	}
}

// duration reports whether n is a number of milliseconds of less than a year.
func duration(n record.Number) bool {
	return n.Known && n.Value >= 0 && n.Value < float64(365*24*time.Hour/time.Millisecond) && !math.IsNaN(n.Value)
}

// count adds what another cell counted, but for its sketch and its slowest request.
func (c *cell) count(other *cell) {
	c.requests += other.requests
	c.errors += other.errors
	c.durSum += other.durSum
	c.cpuSum += other.cpuSum
	c.cpuCount += other.cpuCount
	c.dbSum += other.dbSum
	c.bytesSum += other.bytesSum
	c.bytesCount += other.bytesCount
}

// mergeStored adds what a stored row holds. An error means that the stored
// sketch cannot be read; the counts are added nevertheless.
func (c *cell) mergeStored(stored *cell, sketch []byte) error {
	c.count(stored)
	c.slow.merge(stored.slow)
	// Into a fresh one first: a broken sketch must not leave half of itself behind.
	whole := newSketch()
	if err := whole.DecodeAndMergeWith(sketch); err != nil {
		return err
	}
	return c.sketch.MergeWith(whole)
}

// encoded returns the sketch for storing.
func (c *cell) encoded() []byte {
	var b []byte
	c.sketch.Encode(&b, false)
	return b
}
