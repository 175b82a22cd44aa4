package dashboard

import (
	"io"
	"testing"
	"time"

	"kurama/logship/record"
)

// BenchmarkFanOut measures one frame to 1 000 clients of one app, until each has it.
func BenchmarkFanOut(b *testing.B) {
	cfg := settings()
	cfg.FrameInterval = time.Hour // frames are made by hand
	f := setup(b, startStream(b), cfg, nil)
	const clients = 1000
	got := make(chan struct{}, clients)
	for range clients {
		conn, _, err := f.dial("ann", "app=hello", nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		go func() {
			for {
				_, r, err := conn.NextReader()
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, r)
				got <- struct{}{}
			}
		}()
	}
	f.poll("all are subscribed", func() bool {
		n := 0
		f.server.hub.do(func() {
			if t := f.server.hub.topics[key{"acme", "hello"}]; t != nil {
				n = len(t.clients)
			}
		})
		return n == clients
	})
	records := make([]record.Record, 20)
	for b.Loop() {
		f.server.hub.do(func() {
			now := time.Now()
			for i := range records {
				records[i] = request(now, 200, 5)
				text := record.Append(nil, &records[i])
				f.server.hub.record(&records[i], text[:len(text)-1], now)
			}
			f.server.hub.runOnce(now)
		})
		for range clients {
			<-got
		}
	}
}

// BenchmarkRecord measures what one request record costs the hub.
func BenchmarkRecord(b *testing.B) {
	h := still()
	r := request(moment, 200, 5)
	text := record.Append(nil, &r)
	text = text[:len(text)-1]
	for b.Loop() {
		h.record(&r, text, moment)
	}
}
