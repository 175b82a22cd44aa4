package deploy

import (
	"testing"

	"kurama/paas"
)

func TestInUse(t *testing.T) {
	app := paas.App{Release: 5, Canary: paas.Canary{Release: 2, Share: 10}}
	for number, c := range map[int]struct {
		state paas.ReleaseState
		want  bool
	}{1: {paas.ReleaseSuperseded, false}, 2: {paas.ReleaseCanary, true}, 3: {paas.ReleaseStarting, true}, 4: {paas.ReleaseBuilding, true}, 5: {paas.ReleaseLive, true}, 6: {paas.ReleaseFailed, false}} {
		if got := inUse(app, paas.Release{Number: number, State: c.state}); got != c.want {
			t.Errorf("release %d, which is %s: %v", number, c.state, got)
		}
	}
}
