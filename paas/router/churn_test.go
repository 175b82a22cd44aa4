package router

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"kurama/paas"
)

// churnTable is a table of apps that no other cycle has, each with a gate,
// domains, a path and targets; the first target of each answers.
func churnTable(cycle, apps int, alive string) paas.Table {
	t := paas.Table{Version: int64(cycle + 1)}
	for i := range apps {
		name := fmt.Sprintf("app-%d-%d", cycle, i)
		route := paas.Route{Tenant: "default", App: name, State: paas.AppRunning, Gate: paas.Gate{Rate: 1000},
			Hosts: []string{name + ".localhost", name + ".example.org", "example.org/" + name}}
		for j := range 3 {
			address := alive
			if j > 0 {
				address = fmt.Sprintf("127.0.0.1:%d", 2+j) // nobody listens, and nobody has to
			}
			route.Targets = append(route.Targets, paas.Target{Replica: fmt.Sprintf("%s-%d", name, j), Release: cycle, Address: address})
		}
		t.Routes = append(t.Routes, route)
	}
	return t
}

// TestChurnLeavesNothingBehind replaces all apps of a router again and again
// while clients ask them: what an app that is gone took is given back.
func TestChurnLeavesNothingBehind(t *testing.T) {
	const apps, warm, cycles = 50, 20, 120
	b := start(t, testConfig())
	b.opts.Records = discard{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Host) }))
	t.Cleanup(server.Close)
	turn := func(cycle int) {
		b.swap(churnTable(cycle, apps, server.Listener.Addr().String()))
		for i := range 20 {
			r := b.request(t, "GET", "/", nil)
			r.Host = fmt.Sprintf("app-%d-%d.localhost", cycle, i%10)
			r.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.1", cycle, i)) // a client of its own
			if status, body := b.do(t, r); status != 200 || body != r.Host {
				t.Fatalf("%d %q", status, body)
			}
		}
		b.forgetGone()
	}
	measure := func() (heap uint64, goroutines int) {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc, runtime.NumGoroutine()
	}
	for cycle := range warm {
		turn(cycle)
	}
	heap, goroutines := measure()
	for cycle := range cycles {
		turn(warm + cycle)
	}
	later, afterwards := measure()
	t.Logf("heap %d KiB, after %d apps more %d KiB; goroutines %d, %d", heap>>10, cycles*apps, later>>10, goroutines, afterwards)
	if later > heap+heap/5+1<<20 {
		t.Errorf("the heap grew from %d to %d KiB over %d tables", heap>>10, later>>10, cycles)
	}
	eventually(t, "end of what belongs to apps that are gone", func() bool { return runtime.NumGoroutine() <= goroutines+20 })
	if n := len(b.gone); n != 0 {
		t.Errorf("%d apps that are gone are kept", n)
	}
}
