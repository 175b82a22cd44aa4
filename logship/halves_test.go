package logship

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"kurama/internal/config"
	"kurama/logship/record"
	"kurama/logship/spool"
	"kurama/logship/stream"
)

// foreign is a world whose stream is a NATS server that takes messages of at
// most 64 KiB.
func foreign(t *testing.T) *world {
	t.Helper()
	run, err := os.MkdirTemp("", "kr") // a short path: sockets lie in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(run) })
	w := &world{t: t, run: run, cfg: config.Default().Stream, ship: config.Default().Logship, log: slog.New(slog.DiscardHandler)}
	ns, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, Authorization: "secret",
		JetStream: true, StoreDir: t.TempDir(), MaxPayload: 64 << 10, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() {
		ns.Shutdown()
		ns.WaitForShutdown()
	})
	if !ns.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server is not ready")
	}
	w.cfg.MaxBytes = 64 * config.MiB
	w.url = ns.ClientURL()
	w.client = w.connect()
	return w
}

// noise returns text of n bytes that packs to no less than three quarters.
func noise(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw)
	return base64.RawStdEncoding.EncodeToString(raw)[:n]
}

func TestABatchLongerThanAServerTakesGoesInParts(t *testing.T) {
	w := foreign(t)
	a, _ := w.agent(nil)
	c := w.sender()
	const n = 120
	for i := range n { // about 1 MiB
		r := logRecord("a", i)
		r.Exc = noise(9000)
		c.Send(r)
	}
	flush(t, c)
	w.exactlyOnce("a", n)
	if lost := a.losses.take(time.Now()); len(lost) > 0 {
		t.Errorf("records were dropped: %v", lost)
	}
}

func TestPartsOfABatch(t *testing.T) {
	w := foreign(t)
	waiting, err := spool.Open(filepath.Join(t.TempDir(), "spool"), int64(64*config.MiB))
	if err != nil {
		t.Fatal(err)
	}
	lossy := &losses{total: func(int) {}, counts: map[loss]int{}}
	s := &shipper{stream: w.client, host: "host", spool: waiting, losses: lossy, count: newMetrics(), log: w.log,
		seen: &seen{tail: w.client, host: "host", spool: waiting, began: time.Now()}}
	await(t, w.client)
	var data []byte
	const n = 40
	for i := range n {
		r := logRecord("a", i)
		r.Time, r.ID, r.Exc = time.Now(), record.NewID(time.Now()), noise(8000)
		if i == 17 {
			r.App, r.Exc = "long", noise(100_000)
		}
		data = record.Append(data, r)
	}
	e := spool.Entry{ID: "batch-1", Records: n, At: time.Now()}

	t.Run("what a former attempt stored is not stored again", func(t *testing.T) {
		first, _ := halve(data)
		part := spool.Entry{ID: "batch-1.0", Records: strings.Count(string(first), "\n"), At: e.At}
		if err := s.offerPart(t.Context(), part, first, false, new([]byte)); err != nil {
			t.Fatal(err)
		}
		for _, check := range []bool{true, false, true} {
			if err := s.offer(t.Context(), e, data, check); err != nil {
				t.Fatal(err)
			}
		}
		got := w.records(n-1, func(r *record.Record) bool { return r.App == "a" })
		for i, r := range got {
			if r.ID == got[max(i-1, 0)].ID && i > 0 || len(got) != n-1 {
				t.Fatalf("%d records are on the stream instead of %d", len(got), n-1)
			}
		}
	})
	t.Run("a record that is too long by itself is lost alone, and told", func(t *testing.T) {
		if got := lossy.counts; len(got) != 1 || got[loss{"t", "long", "each is longer than a message on the stream may be (its max_payload)"}] != 3 { // of three calls
			t.Errorf("lost are %v", got)
		}
	})
	t.Run("a spooled batch goes the same way", func(t *testing.T) {
		spooled := strings.ReplaceAll(string(data), `"app":"a"`, `"app":"b"`)
		if err := waiting.Add(spool.Entry{ID: "batch-2", Records: n, At: time.Now()}, []byte(spooled)); err != nil {
			t.Fatal(err)
		}
		e, _ := waiting.First()
		if err := s.drainOne(t.Context(), e, false); err != nil {
			t.Fatal(err)
		}
		if batches, _ := waiting.Size(); batches != 0 || len(w.records(n-1, func(r *record.Record) bool { return r.App == "b" })) != n-1 {
			t.Error("the batch is not on the stream as a whole")
		}
	})
	t.Run("where one half is there and the stream went away, the next attempt looks for it", func(t *testing.T) {
		torn := *s
		torn.stream = tearing{w.client}
		e.ID = "batch-3"
		if err := torn.offer(t.Context(), e, []byte(strings.ReplaceAll(string(data), `"app":"a"`, `"app":"c"`)), false); err == nil || errors.Is(err, stream.ErrAway) {
			t.Errorf("the error is %v", err)
		}
	})
}

// tearing is away for second halves.
type tearing struct{ *stream.Stream }

func (s tearing) Publish(ctx context.Context, host, id string, batch []byte, records int) (uint64, error) {
	if strings.HasSuffix(id, ".1") {
		return 0, stream.ErrAway
	}
	return s.Stream.Publish(ctx, host, id, batch, records)
}

// await waits until the stream can be published to.
func await(t *testing.T, s *stream.Stream) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; wait(t.Context(), 20*time.Millisecond) {
		if _, err := s.State(t.Context()); err == nil {
			return
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
