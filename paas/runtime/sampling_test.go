package runtime

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"kurama/paas"
)

func TestAnOrderToSampleIsForTheAppsOwnUserToRead(t *testing.T) {
	e := &Engine{opts: Options{RunDir: t.TempDir()}}
	if err := e.Sample("hello-1-abcdef", paas.Sampling{}); err == nil {
		t.Error("a replica that is gone takes an order")
	}
	if err := e.makeFolder("hello-1-abcdef"); err != nil {
		t.Fatal(err)
	}
	for _, hz := range []float64{50, 100} { // the later one replaces the earlier
		if err := e.Sample("hello-1-abcdef", paas.Sampling{Until: time.UnixMilli(1763632800250), Hz: hz}); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(e.socketFolder("hello-1-abcdef"), "profile.json")
	order, err := os.ReadFile(path)
	if err != nil || string(order) != `{"hz":100,"until":1763632800.25}` {
		t.Errorf("%s, %v", order, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
