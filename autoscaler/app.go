package autoscaler

import (
	"time"

	"kurama/autoscaler/watch"
	"kurama/paas"
)

// appKey names an app.
type appKey struct{ tenant, app string }

// app is what the autoscaler knows of one app.
type app struct {
	*watch.App
	figures figures
	knocked bool // it sleeps, and a request waits
	asked   bool // what came in the days before was asked for
	held    bool // it was told that what the figures ask for is not done
}

func newApp(t paas.ScaledApp, now time.Time) *app {
	return &app{App: watch.New(t, now), figures: newFigures()}
}

// look takes over how the app is now, and what has come about it since the
// last look; one that comes within a second of it adds nothing.
func (a *app) look(now time.Time, t paas.ScaledApp) {
	if a.Follow(now, t) {
		a.figures = newFigures()
	}
	if a.Due(now) || a.knocked {
		a.knocked = false
		a.Add(a.figures.second(now, a.Release()))
	}
}
