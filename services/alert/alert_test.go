package alert

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/config"
	"kurama/internal/postgres/pgtest"
	"kurama/logship/record"
	"kurama/logship/stream"
)

// bench is a real database and a real stream, with the app hello on it.
type bench struct {
	t      *testing.T
	pool   *pgxpool.Pool
	stream *stream.Stream
	smtp   config.SMTP
	cfg    config.Alert
	data   string
	rules  *Rules
	mu     sync.Mutex
	events []string
	sent   atomic.Int64 // batches published

	server     config.Stream
	dir        string
	stopStream func()
}

func setup(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, pool: pgtest.New(t), cfg: config.Default().Alert, smtp: config.Default().SMTP, data: t.TempDir()}
	b.cfg.Interval, b.cfg.RetryMin, b.cfg.RetryMax = 50*time.Millisecond, 50*time.Millisecond, 200*time.Millisecond
	b.cfg.GroupBy = groupByRule // but where a test is about groups
	b.smtp.From, b.smtp.TLS, b.smtp.Timeout = "kurama@example.org", "none", 5*time.Second
	b.server = config.Default().Stream
	b.server.Listen, b.dir = "127.0.0.1:0", t.TempDir()
	b.startStream()
	var err error
	if b.stream, err = stream.Connect(t.Context(), b.server, "nats://"+b.server.Listen, "secret", slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.stream.Close)
	b.rules = NewRules(b.pool, b.cfg, b.smtp, "http://localhost:5001")
	b.exec("INSERT INTO tenants (name) VALUES ('default'), ('other') ON CONFLICT DO NOTHING")
	b.exec("INSERT INTO apps (tenant, name, state, release) VALUES ('default','hello','running',1)")
	return b
}

// startStream starts the stream's server, again on the address that it had.
func (b *bench) startStream() {
	b.t.Helper()
	server, err := stream.NewServer(b.server, b.dir, "secret", slog.New(slog.DiscardHandler))
	if err != nil {
		b.t.Fatal(err)
	}
	b.server.Listen = strings.TrimPrefix(server.URL(), "nats://")
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = server.Run(ctx) })
	b.stopStream = sync.OnceFunc(func() { cancel(); running.Wait() })
	b.t.Cleanup(b.stopStream)
}

func (b *bench) exec(sql string, args ...any) {
	b.t.Helper()
	if _, err := b.pool.Exec(context.Background(), sql, args...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) useSink(addr *net.TCPAddr) { b.smtp.Host, b.smtp.Port = "127.0.0.1", addr.Port }

// Send keeps the events that the service sends.
func (b *bench) Send(r *record.Record) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	var extra struct{ Event string }
	_ = json.Unmarshal(r.Extra, &extra)
	b.events = append(b.events, extra.Event+" "+r.App+" "+r.Msg)
	return true
}

// start runs a service with a calm of 300 ms and returns what stops it.
func (b *bench) start() (stop func()) {
	s := New(b.cfg, Options{Pool: b.pool, Stream: b.stream, Sender: b, SMTP: b.smtp, Data: b.data, ConsoleURL: "http://localhost:5001"})
	s.calm = 300 * time.Millisecond
	return b.run(s)
}

func (b *bench) run(s *Service) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.Run(ctx); err != nil {
			b.t.Errorf("the service ended with %v", err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	b.t.Cleanup(stop)
	return stop
}

// publish puts records of hello on the stream as one batch.
func (b *bench) publish(records ...*record.Record) {
	b.t.Helper()
	var batch []byte
	for _, r := range records {
		r.Tenant, r.App, r.Time, r.ID = "default", "hello", time.Now(), record.NewID(time.Now())
		batch = record.Append(batch, r)
	}
	if _, err := b.stream.Publish(context.Background(), "host", fmt.Sprint("t-", b.sent.Add(1)), batch, len(records)); err != nil {
		b.t.Fatal(err)
	}
}

// load publishes a sample with this CPU percentage.
func (b *bench) load(cpu float64) {
	b.t.Helper()
	b.publish(&record.Record{Kind: record.KindSample, Replica: "hello-1-abcdef", CPU: record.Num(cpu), Mem: record.Num(20)})
}

// until calls do every 50 ms until ok, for 15 s at the most.
func (b *bench) until(what string, do func(), ok func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			list, _ := b.rules.Notifications(context.Background(), "default", "hello", 10)
			rules, _ := b.rules.List(context.Background(), "default", "hello")
			b.t.Fatalf("%s: not within 15 s; rules %+v, messages %+v", what, rules, list)
		}
		if do != nil {
			do()
		}
	}
}

func (b *bench) add(condition string) Rule {
	b.t.Helper()
	r, err := b.rules.Add(context.Background(), Rule{Tenant: "default", App: "hello", Condition: condition, Receiver: "Ann <ann@example.org>"})
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// message returns the newest message of hello.
func (b *bench) message() Notification {
	b.t.Helper()
	list, err := b.rules.Notifications(context.Background(), "default", "hello", 10)
	if err != nil {
		b.t.Fatal(err)
	}
	if len(list) == 0 {
		return Notification{}
	}
	return list[0]
}

func TestAnAlertMailsItsStartAndItsEnd(t *testing.T) {
	b := setup(t)
	sink, addr := startSink(t, "127.0.0.1:0")
	b.useSink(addr)
	b.add("cpu > 90 for 1s")
	b.start()
	b.publish(&record.Record{Kind: record.KindLog, Level: record.LevelError, Msg: "cannot <reach> the\r\nBcc: x@example.org"})
	b.until("the first mail", func() { b.load(93) }, func() bool { return len(sink.all()) == 1 })
	first := sink.all()[0]
	if first.to != "ann@example.org" || first.subject() != "hello: cpu 93 % > 90 % for 1 s" || first.header.Get("From") != "<kurama@example.org>" {
		t.Errorf("to %q, subject %q, from %q", first.to, first.subject(), first.header.Get("From"))
	}
	for _, want := range []string{"The condition cpu > 90 % of the app hello has held since ", "Now: cpu 93 %.", "ERROR     cannot <reach> the  Bcc: x@example.org", "http://localhost:5001/#/apps/hello"} {
		if !strings.Contains(first.text, want) {
			t.Errorf("the text lacks %q:\n%s", want, first.text)
		}
	}
	for _, want := range []string{"cannot &lt;reach&gt;", `<img src="cid:chart.png"`, "dashed: the limit of 90 %", `href="http://localhost:5001/#/apps/hello"`} {
		if !strings.Contains(first.html, want) {
			t.Errorf("the HTML lacks %q:\n%s", want, first.html)
		}
	}
	if first.picture < 200 {
		t.Errorf("the picture has %d bytes", first.picture)
	}
	b.until("the second mail", func() { b.load(41) }, func() bool { return len(sink.all()) == 2 })
	second := sink.all()[1]
	if second.subject() != "hello: over: cpu > 90 % for 1 s (now cpu 41 %)" || !strings.Contains(second.text, "It held for ") {
		t.Errorf("subject %q\n%s", second.subject(), second.text)
	}
	b.until("both are marked sent", nil, func() bool { return b.message().State == stateSent })
	rules, err := b.rules.List(t.Context(), "default", "hello")
	if err != nil || rules[0].State != stateOK || rules[0].Value != "cpu 41 %" || rules[0].Since == nil {
		t.Errorf("%+v, %v", rules, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if got := strings.Join(b.events, "\n"); got != "alert_firing hello Alert: cpu 93 % > 90 % for 1 s.\nalert_resolved hello Alert over: cpu > 90 % for 1 s (now cpu 41 %)." {
		t.Errorf("events:\n%s", got)
	}
}

func TestAMailWaitsForItsServerAndArrivesOnce(t *testing.T) {
	b := setup(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	_ = l.Close() // the server is down
	b.useSink(addr)
	b.add("cpu > 90")
	stop := b.start()
	b.until("two attempts", func() { b.load(95) }, func() bool { return b.message().Attempts >= 2 })
	if m := b.message(); m.State != statePendingMail || !strings.Contains(m.Error, "connection refused") {
		t.Errorf("%+v", m)
	}
	stop() // the message outlives a restart
	sink, _ := startSink(t, addr.String())
	b.start()
	b.until("the mail", func() { b.load(95) }, func() bool { return b.message().State == stateSent })
	b.until("some more time", func() { b.load(95) }, func() bool { return b.sent.Add(0) > 20 })
	if got := sink.all(); len(got) != 1 || got[0].header.Get("Message-ID") != "<"+b.message().ID+"@kurama>" {
		t.Errorf("%d mails arrived: %+v", len(got), got)
	}
}

func TestTheServersAnswerDecides(t *testing.T) {
	b := setup(t)
	sink, addr := startSink(t, "127.0.0.1:0")
	b.useSink(addr)
	rule := b.add("cpu > 90")
	b.start()
	sink.Refuse("451 4.7.1 try later", "")
	b.test(rule.ID)
	b.until("a temporary refusal is retried", nil, func() bool { m := b.message(); return m.State == stateSent && m.Attempts == 2 })
	sink.Refuse("550 5.1.1 no such user")
	b.test(rule.ID)
	b.until("a permanent one is not", nil, func() bool { return b.message().State == stateFailed })
	if m := b.message(); m.Attempts != 1 || !strings.Contains(m.Error, "5.1.1 no such user") {
		t.Errorf("%+v", m)
	}
	if got := sink.all(); len(got) != 1 || got[0].subject() != "hello: test of cpu > 90 %" {
		t.Errorf("%+v", got)
	}
}

func (b *bench) test(id string) {
	b.t.Helper()
	if err := b.rules.Test(b.t.Context(), "default", "hello", id); err != nil {
		b.t.Fatal(err)
	}
}

func TestWithoutAServerMailGoesToTheOutbox(t *testing.T) {
	b := setup(t)
	b.add("status >= 500")
	b.start()
	b.until("the message", func() {
		b.publish(&record.Record{Kind: record.KindRequest, Status: 503, Level: record.LevelError, Msg: "GET / 503", Dur: record.Num(3)})
	}, func() bool { return b.message().State == stateOutbox })
	m := b.message()
	file, err := os.ReadFile(filepath.Join(b.data, "outbox", m.ID+".eml"))
	if err != nil || !strings.Contains(string(file), "Subject: hello: status 503 >= 500\r\n") {
		t.Errorf("%v\n%s", err, file)
	}
	eml, err := b.rules.EML(t.Context(), "default", m.ID)
	if err != nil || !strings.Contains(string(eml), "To: <ann@example.org>\r\n") {
		t.Errorf("%v\n%s", err, eml)
	}
	if _, err := b.rules.EML(t.Context(), "other", m.ID); err == nil {
		t.Error("another tenant can read the message")
	}
}

func TestARestartForgetsAndRepeatsNothing(t *testing.T) {
	b := setup(t)
	b.add("cpu > 90")
	stop := b.start()
	b.until("the service watches", func() { b.load(10) }, func() bool { return b.rule().Value == "cpu 10 %" })
	stop()
	for range 3 { // the condition comes and goes while the service is away
		b.load(97)
		time.Sleep(60 * time.Millisecond) // as long as an evaluation takes to come round
	}
	b.load(12)
	stop = b.start()
	b.until("both messages", func() { b.load(12) }, func() bool {
		list, _ := b.rules.Notifications(t.Context(), "default", "hello", 10)
		return len(list) == 2 && list[1].Subject == "hello: cpu 97 % > 90 %" && list[0].Kind == kindResolved
	})
	b.until("it fires again", func() { b.load(99) }, func() bool { return b.rule().State == stateFiring })
	since := b.rule().Since
	stop()
	b.start()
	seen := b.sent.Load() + 30
	b.until("more samples", func() { b.load(99) }, func() bool { return b.sent.Load() > seen })
	list, _ := b.rules.Notifications(t.Context(), "default", "hello", 10)
	if len(list) != 3 || !b.rule().Since.Equal(*since) {
		t.Errorf("%d messages: %+v", len(list), list)
	}
}

func TestAnAbsenceOfTheStreamEndsNoAlert(t *testing.T) {
	b := setup(t)
	b.add("cpu > 90")
	b.start()
	b.until("it fires", func() { b.load(95) }, func() bool { return b.rule().State == stateFiring })
	b.stopStream()
	away := time.Now()
	b.until("samples grow old and the calm passes", nil, func() bool { return time.Since(away) > sampleAge+time.Second })
	b.startStream()
	b.until("the stream is back", nil, b.stream.Connected)
	seen := b.sent.Load() + 20
	b.until("samples come again", func() { b.load(96) }, func() bool { return b.sent.Load() > seen && b.rule().Value == "cpu 96 %" })
	if list, _ := b.rules.Notifications(t.Context(), "default", "hello", 10); len(list) != 1 {
		t.Errorf("%+v", list)
	}
}

func (b *bench) rule() Rule {
	b.t.Helper()
	rules, err := b.rules.List(context.Background(), "default", "hello")
	if err != nil || len(rules) != 1 {
		b.t.Fatalf("%+v, %v", rules, err)
	}
	return rules[0]
}

func TestMessagesBeyondTheHourlyBoundAreCounted(t *testing.T) {
	b := setup(t)
	b.cfg.PerHour = 2
	rule := b.add("cpu > 90")
	for range 2 {
		b.exec(`INSERT INTO notifications (id, tenant, app, rule, kind, recipient, subject, body_text, body_html, state)
			VALUES ($1,'default','hello',$2,'firing','a@example.org','s','t','h','sent')`, newID(), rule.ID)
	}
	b.start()
	b.until("the message is held back", func() { b.load(95) }, func() bool { return b.message().State == stateSuppressed })
	b.exec("UPDATE notifications SET created_at = created_at - interval '2 hours' WHERE state = 'sent'")
	b.until("the next one is not", func() { b.load(5) }, func() bool { return b.message().State == stateOutbox })
	if m := b.message(); !strings.Contains(m.BodyText, "One message about hello was held back before this one: at most 2 an hour are sent.") {
		t.Errorf("%s", m.BodyText)
	}
}

func TestTheRoleTellsHowItIs(t *testing.T) {
	b := setup(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.run(New(b.cfg, Options{Pool: b.pool, Stream: b.stream, Listener: l, Data: b.data}))
	get := func(path string) (int, string) {
		resp, err := http.Get("http://" + l.Addr().String() + path)
		if err != nil {
			return 0, ""
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	b.until("ready", nil, func() bool { code, _ := get("/readyz"); return code == 200 })
	if code, body := get("/metrics"); code != 200 || !strings.Contains(body, "kurama_alert_lag") {
		t.Errorf("%d\n%s", code, body)
	}
}
