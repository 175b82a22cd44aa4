package runtime

import (
	"log/slog"
	"testing"

	"kurama/internal/config"
	"kurama/paas"
)

func TestRuntimeOf(t *testing.T) {
	e := &Engine{cfg: config.Docker{Runtime: "runc", Runtimes: "runsc, kata"}, opts: Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))}}
	for asked, want := range map[string]string{"": "runc", "runsc": "runsc", "kata": "kata", "withdrawn": "runc"} {
		if got := e.runtimeOf(paas.Spec{Runtime: asked}); got != want {
			t.Errorf("%q starts by %q, not %q", asked, got, want)
		}
	}
}
