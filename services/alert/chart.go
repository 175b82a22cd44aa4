package alert

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
	"time"
)

// Size of the picture in a message, and how much time it shows.
const (
	chartWidth  = 552
	chartHeight = 120
	chartSpan   = 10 * time.Minute
	chartGap    = 5 * time.Second // points further apart are not joined: missing data is a gap
)

// point is one figure at one time.
type point struct {
	at    time.Time
	value float64
}

// The colours of the picture, by index in its palette.
const (
	inkPaper = iota
	inkGrid
	inkSeries
	inkArea
	inkLimit
)

// seriesColor returns the colour of a figure's line, from Okabe and Ito's set.
func seriesColor(name string) color.RGBA {
	if i := strings.IndexByte(name, '('); i >= 0 { // a call: as its field
		name, _, _ = strings.Cut(strings.TrimRight(name[i+1:], ")"), ",")
	}
	switch name {
	case "cpu":
		return color.RGBA{0x00, 0x72, 0xB2, 0xFF}
	case "mem":
		return color.RGBA{0x00, 0x9E, 0x73, 0xFF}
	case "disk":
		return color.RGBA{0xCC, 0x79, 0xA7, 0xFF}
	case "swap":
		return color.RGBA{0xD5, 0x5E, 0x00, 0xFF}
	}
	return color.RGBA{0x56, 0xB4, 0xE9, 0xFF}
}

// top returns the value at the upper edge: a tenth above the highest of points
// and limit. The lower edge is 0.
func top(points []point, limit float64) float64 {
	high := limit
	for _, p := range points {
		high = max(high, p.value)
	}
	if high <= 0 || math.IsInf(high, 0) || math.IsNaN(high) {
		return 1
	}
	return high * 1.1
}

// chart draws points as a PNG with a dashed line at limit. It needs at least
// two points, in the order of time.
func chart(points []point, limit float64, series color.RGBA) []byte {
	light := func(c uint8) uint8 { return 255 - (255-c)/5 }
	img := image.NewPaletted(image.Rect(0, 0, chartWidth, chartHeight), color.Palette{
		color.White, color.RGBA{0xE9, 0xE7, 0xE2, 0xFF}, series,
		color.RGBA{light(series.R), light(series.G), light(series.B), 0xFF}, color.RGBA{0xC9, 0x2A, 0x2A, 0xFF},
	})
	high := top(points, limit)
	y := func(v float64) int {
		return chartHeight - 1 - int(math.Round(max(0, min(v, high))/high*(chartHeight-1)))
	}
	for i := range 5 {
		row(img, i*(chartHeight-1)/4, inkGrid, 1)
	}
	first, span := points[0].at, max(points[len(points)-1].at.Sub(points[0].at), time.Second)
	x := func(t time.Time) int {
		return int(math.Round(float64(t.Sub(first)) / float64(span) * (chartWidth - 1)))
	}
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		if b.at.Sub(a.at) <= chartGap {
			segment(img, x(a.at), y(a.value), x(b.at), y(b.value))
		}
	}
	row(img, y(limit), inkLimit, 8)
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil { // a buffer takes everything
		return nil
	}
	return out.Bytes()
}

// segment draws a line from one point to the next, and the area below it.
func segment(img *image.Paletted, x0, y0, x1, y1 int) {
	last := y0
	for x := x0; x <= x1; x++ {
		y := y1
		if x1 > x0 {
			y = y0 + (y1-y0)*(x-x0)/(x1-x0)
		}
		for yy := y; yy < chartHeight; yy++ {
			if img.ColorIndexAt(x, yy) != inkSeries {
				img.SetColorIndex(x, yy, inkArea)
			}
		}
		for yy := min(y, last); yy <= max(y, last)+1; yy++ {
			img.SetColorIndex(x, yy, inkSeries)
		}
		last = y
	}
}

// row draws a horizontal line; of every two times dash pixels, dash are left
// out. A dash of 1 is a full line.
func row(img *image.Paletted, y int, ink uint8, dash int) {
	for x := range chartWidth {
		if dash == 1 || x/dash%2 == 0 {
			img.SetColorIndex(x, y, ink)
		}
	}
}
