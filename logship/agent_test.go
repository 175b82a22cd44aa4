package logship

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/logship/record"
	"kurama/logship/stream"
)

// TestMain makes the test binary an agent of its own where the environment
// asks for it, so that a test can kill one.
func TestMain(m *testing.M) {
	run := os.Getenv("AGENT_TEST_RUN")
	if run == "" {
		os.Exit(m.Run())
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	client, err := stream.Connect(context.Background(), config.Default().Stream, os.Getenv("AGENT_TEST_URL"), "secret", log)
	if err != nil {
		panic(err)
	}
	a, err := New(config.Default().Logship, Options{Host: "host", RunDir: run, SpoolDir: filepath.Join(run, "spool"), Stream: client, Log: log})
	if err != nil {
		panic(err)
	}
	_ = a.Run(context.Background())
}

func TestEveryRecordIsOnTheStreamOnceAfterTheAgentIsKilledAgainAndAgain(t *testing.T) {
	w := newWorld(t)
	c := w.sender()
	kill := w.killable()
	const n = 6000
	for i := range n {
		c.Send(logRecord("a", i))
		if i%1500 == 700 {
			w.records(i/2, func(r *record.Record) bool { return r.App == "a" })
			kill()
			kill = w.killable()
		}
		if i%100 == 0 {
			wait(t.Context(), time.Millisecond)
		}
	}
	flush(t, c)
	w.exactlyOnce("a", n)
}

func TestBatchesWaitInTheSpoolWhileTheStreamIsAway(t *testing.T) {
	w := newWorld(t)
	a, end := w.agent(nil)
	c := w.sender()
	for i := range 300 {
		c.Send(logRecord("a", i))
	}
	flush(t, c)
	w.stop()
	for i := 300; i < 2000; i++ {
		c.Send(logRecord("a", i))
	}
	flush(t, c) // durable without the stream
	if batches, _ := a.spool.Size(); batches == 0 {
		t.Error("nothing is in the spool")
	}
	end()
	w.agent(nil) // the next agent finds what the first one left
	for i := 2000; i < 2500; i++ {
		c.Send(logRecord("a", i))
	}
	flush(t, c)
	w.serve()
	w.exactlyOnce("a", 2500)
}

func TestEveryRecordIsOnTheStreamOnceWhenAgentAndStreamFailTogether(t *testing.T) {
	w := newWorld(t)
	c := w.sender()
	kill := w.killable()
	for i := range 1000 {
		c.Send(logRecord("a", i))
	}
	w.records(200, func(r *record.Record) bool { return r.App == "a" })
	kill()
	w.stop()
	kill = w.killable() // it cannot ask the stream what its predecessor shipped
	for i := 1000; i < 2000; i++ {
		c.Send(logRecord("a", i))
	}
	flush(t, c)
	kill()
	w.killable()
	w.serve()
	w.exactlyOnce("a", 2000)
}

func TestAFullSpoolDropsTheNewestAndTellsIt(t *testing.T) {
	w := newWorld(t)
	w.ship.SpoolMax = 40 * config.KiB
	w.agent(nil)
	c := w.sender()
	c.Send(logRecord("a", 0))
	flush(t, c)
	w.stop()
	const n = 2000
	for i := 1; i < n; i++ {
		c.Send(logRecord("a", i))
		if i%100 == 0 {
			flush(t, c)
		}
	}
	flush(t, c)
	w.serve()
	kept, dropped := 0, 0
	for deadline := time.Now().Add(20 * time.Second); kept+dropped < n && time.Now().Before(deadline); {
		kept, dropped = 0, 0
		for _, r := range w.records(1, func(r *record.Record) bool { return r.App == "a" }) {
			if r.Kind == record.KindLog {
				kept++
			} else {
				dropped += droppedCount(&r)
			}
		}
	}
	if kept+dropped != n || dropped == 0 {
		t.Errorf("%d records are kept and %d dropped of %d", kept, dropped, n)
	}
}

func TestTheHostIsSampled(t *testing.T) {
	w := newWorld(t)
	w.ship.SampleInterval = 50 * time.Millisecond
	w.agent(nil)
	got := w.records(3, func(r *record.Record) bool { return r.Kind == record.KindSample })
	r := got[2]
	if r.Replica != "host" || r.Tenant != "" || r.URL != "" || r.Level != record.LevelNone || !r.Mem.Known || r.Mem.Value <= 0 || !r.Disk.Known {
		t.Errorf("the sample is %+v", r)
	}
	if got[0].CPU.Known {
		t.Error("the first sample knows a CPU percentage")
	}
}

func TestTheAgentTellsItsFigures(t *testing.T) {
	w := newWorld(t)
	l, err := net.Listen("unix", filepath.Join(w.run, "http.sock"))
	if err != nil {
		t.Fatal(err)
	}
	w.agent(func(o *Options) { o.Listener = l })
	c := w.sender()
	c.Send(logRecord("a", 0))
	flush(t, c)
	browser := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", filepath.Join(w.run, "http.sock"))
	}}}
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ok", "/metrics": "kurama_logship_sessions 1"} {
		answer, err := browser.Get("http://agent" + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != 200 || !strings.Contains(string(body), want) {
			t.Errorf("%s answers %d %.200s", path, answer.StatusCode, body)
		}
	}
}
