package alert

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/logship/record"
	"kurama/paas"
)

// hooks is a web server that keeps what it is sent.
type hooks struct {
	mu     sync.Mutex
	bodies []map[string]any
	keys   []string
	status []int // of the next answers; none: 204
}

func startHooks(t *testing.T) (*hooks, string) {
	h := &hooks{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		text, _ := io.ReadAll(r.Body)
		var body map[string]any
		if err := json.Unmarshal(text, &body); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		h.bodies, h.keys = append(h.bodies, body), append(h.keys, r.Header.Get("Idempotency-Key"))
		status := http.StatusNoContent
		if len(h.status) > 0 {
			status, h.status = h.status[0], h.status[1:]
		}
		if status == http.StatusFound {
			w.Header().Set("Location", "http://127.0.0.1:1/")
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return h, server.URL
}

func (h *hooks) all() []map[string]any {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]map[string]any{}, h.bodies...)
}

func TestAWebhookIsTold(t *testing.T) {
	b := setup(t)
	b.cfg.WebhookAllow = "127.0.0.0/8"
	hooks, address := startHooks(t)
	hooks.status = []int{503}
	for _, receiver := range []string{address + "/hook", "slack:" + address} {
		if _, err := b.rules.Add(t.Context(), Rule{Tenant: "default", App: "hello", Condition: "cpu > 90", Receiver: receiver}); err != nil {
			t.Fatal(err)
		}
	}
	b.start()
	b.until("both, one of them again", func() { b.load(95) }, func() bool { return len(hooks.all()) == 3 })
	var generic, slack map[string]any
	for _, body := range hooks.all() {
		if body["version"] != nil {
			generic = body
		} else {
			slack = body
		}
	}
	if generic["kind"] != "firing" || generic["app"] != "hello" || generic["subject"] != "hello: cpu 95 % > 90 %" || generic["id"] == "" || generic["alert"] == "" {
		t.Errorf("%v", generic)
	}
	if text, _ := slack["text"].(string); !strings.HasPrefix(text, "*hello: cpu 95 % > 90 %*\nThe condition cpu > 90 %") {
		t.Errorf("%v", slack)
	}
	hooks.mu.Lock()
	defer hooks.mu.Unlock()
	if keys := hooks.keys; keys[0] != keys[1] && keys[0] != keys[2] && keys[1] != keys[2] {
		t.Errorf("what was sent again has another key: %v", keys)
	}
}

func TestAWebhookReachesNoInternalAddress(t *testing.T) {
	hooks, address := startHooks(t)
	post := func(address string, allow config.Networks) error {
		h, _ := hookOf(address)
		return h.post(t.Context(), letter{id: "m1"}, allow, 2*time.Second)
	}
	local := strings.Replace(address, "127.0.0.1", "localhost", 1)
	for _, a := range []string{address, local, strings.Replace(address, "127.0.0.1", "[::ffff:127.0.0.1]", 1), "http://169.254.169.254/latest", "http://10.1.2.3/", "http://[::1]:80/", "http://0.0.0.0/"} {
		var refused *refusal
		if err := post(a, ""); !errors.As(err, &refused) || !errors.Is(err, errInternal) {
			t.Errorf("%s: %v", a, err)
		}
	}
	if len(hooks.all()) != 0 {
		t.Errorf("%v arrived", hooks.all())
	}
	for _, ip := range []string{"100.64.1.1", "192.168.1.1", "fd00::1", "fe80::1", "224.0.0.1", "255.255.255.255", "198.18.0.1", "64:ff9b::7f00:1"} {
		if public(netip.MustParseAddr(ip)) {
			t.Errorf("%s counts as public", ip)
		}
	}
	if !public(netip.MustParseAddr("93.184.216.34")) || !public(netip.MustParseAddr("2606:2800:220:1::1")) {
		t.Error("a public address does not count as one")
	}
	hooks.status = []int{http.StatusFound}
	var refused *refusal
	if err := post(address, "127.0.0.1/32"); !errors.As(err, &refused) || len(hooks.all()) != 1 {
		t.Errorf("a redirect: %v", err)
	}
	for _, receiver := range []string{"https://user:secret@example.org/", "https://", "slack:xyz", "ftp://example.org"} {
		if _, err := CheckReceiver(receiver); err == nil {
			t.Errorf("%s was taken", receiver)
		}
	}
}

func TestNobodyIsToldInASilence(t *testing.T) {
	b := setup(t)
	sink, addr := startSink(t, "127.0.0.1:0")
	b.useSink(addr)
	b.add("cpu > 90")
	silence, err := b.rules.Silence(t.Context(), Silence{Tenant: "default", App: "hello", EndsAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	b.start()
	state := func(want string) func() bool {
		return func() bool {
			rules, err := b.rules.List(t.Context(), "default", "hello")
			return err == nil && rules[0].State == want
		}
	}
	b.until("it fires", func() { b.load(95) }, state(stateFiring))
	b.until("it is over", func() { b.load(5) }, state(stateOK))
	b.until("it fires again", func() { b.load(95) }, state(stateFiring))
	if len(sink.all()) != 0 {
		t.Fatalf("%d mails in the silence", len(sink.all()))
	}
	if err := b.rules.EndSilence(t.Context(), "default", "hello", silence.ID); err != nil {
		t.Fatal(err)
	}
	b.until("what still fires is told", func() { b.load(95) }, func() bool { return len(sink.all()) == 1 })
	b.until("and its end", func() { b.load(5) }, func() bool { return len(sink.all()) == 2 })
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.events) != 4 {
		t.Errorf("the app's stream was told %v", b.events)
	}
	if list, err := b.rules.Silences(t.Context(), "other", "hello"); err != nil || len(list) != 0 {
		t.Errorf("another tenant sees %v, %v", list, err)
	}
}

func TestReminders(t *testing.T) {
	w := &watcher{Service: &Service{calm: calmMin}}
	c, err := Compile("cpu > 90")
	if err != nil {
		t.Fatal(err)
	}
	r := &running{rule: Rule{Repeat: 3600, KeepFiring: 300}, condition: c, status: status{state: stateOK}}
	var told []string
	w.seen = newWatch()
	for minute := range 400 {
		cpu := 95.0
		if minute >= 130 && minute < 133 || minute >= 200 { // three minutes are less than it keeps firing
			cpu = 5
		}
		var out outcome
		at := noon.Add(time.Duration(minute) * time.Minute)
		w.step(r, Figures{"cpu": cpu}, at, &out)
		for _, m := range out.mails {
			told = append(told, m.kind+" "+at.Sub(noon).String())
		}
	}
	if got := strings.Join(told, ", "); got != "firing 0s, firing 1h0m0s, firing 2h0m0s, firing 3h0m0s, resolved 3h25m0s" {
		t.Errorf("told: %s", got)
	}
}

func TestATrueConditionIsMailedWithinTenSeconds(t *testing.T) {
	b := setup(t)
	b.cfg = config.Default().Alert
	sink, addr := startSink(t, "127.0.0.1:0")
	b.useSink(addr)
	b.add(`p95(dur, "1m") > 200 and level >= ERROR for 2s`)
	s := New(b.cfg, Options{Pool: b.pool, Stream: b.stream, Sender: b, SMTP: b.smtp, Data: b.data, ConsoleURL: "http://localhost:5001"})
	b.run(s)
	b.until("it watches", func() { b.load(1) }, func() bool { return s.metrics.ready.Load() })
	began := time.Now()
	b.publish(&record.Record{Kind: record.KindRequest, Level: record.LevelError, Status: 500, Dur: record.Num(900), Msg: "GET / 500"})
	b.until("the mail", func() { b.load(1) }, func() bool { return len(sink.all()) == 1 })
	took := time.Since(began) - 2*time.Second
	if took > 10*time.Second || took < 0 {
		t.Errorf("%s beyond its for-duration", took)
	}
	t.Logf("accepted %s beyond the for-duration", took.Round(10*time.Millisecond))
}

func TestAPreviewSaysWhatWouldHaveBeen(t *testing.T) {
	b := setup(t)
	now := time.Now()
	for i := range 60 { // a sample a minute, of 95 % in the minutes 20 to 30
		cpu := 5.0
		if i >= 20 && i < 30 {
			cpu = 95
		}
		for s := range 12 {
			at := now.Add(-time.Hour + time.Duration(i)*time.Minute + time.Duration(s*5)*time.Second)
			b.exec(`INSERT INTO records (ts, id, seq, release, kind, level, tenant, app, replica, msg, cpu) VALUES ($1, gen_random_uuid(), 1, 1, 3, 0, 'default', 'hello', 'a', '', $2)`, at, cpu)
		}
	}
	p, err := b.rules.Preview(t.Context(), "default", "hello", "cpu > 90 for 1m", 0)
	if err != nil || p.Fired != 1 || p.Held < 9*time.Minute || p.Held > 11*time.Minute || len(p.Points) < 359 || p.Subject != "cpu" || *p.Limit != 90 || p.Unit != "%" {
		t.Errorf("fired %d, held %s, %d points of %q, error %v", p.Fired, p.Held, len(p.Points), p.Subject, err)
	}
	if p, err = b.rules.Preview(t.Context(), "other", "hello", `max(cpu, "5m") > 90`, 0); err != nil || p.Fired != 0 || p.Now != "max(cpu, 5 min) unknown" {
		t.Errorf("another tenant's: %+v, %v", p.Now, err)
	}
	b.exec(`INSERT INTO records (ts, id, seq, release, kind, level, tenant, app, replica, msg, status, db_ms, bytes)
		VALUES ($1, gen_random_uuid(), 1, 1, $2, 0, 'default', 'hello', 'a', '', 200, 40, 5000)`, now.Add(-30*time.Minute), int(record.KindRequest))
	for _, condition := range []string{`mean(db_ms, "1m") > 30`, `count(bytes > 4000, "1m") > 0`} {
		if p, err = b.rules.Preview(t.Context(), "default", "hello", condition, 0); err != nil || p.Fired != 1 {
			t.Errorf("%s fired %d times, error %v", condition, p.Fired, err)
		}
	}
}

func TestAReleaseIsTold(t *testing.T) {
	b := setup(t)
	b.cfg.WebhookAllow = "127.0.0.0/8"
	hooks, address := startHooks(t)
	set := func(receivers ...string) error {
		return b.rules.SetReleaseReceivers(t.Context(), "default", "hello", "ann", receivers)
	}
	if err := set("nonsense"); err == nil {
		t.Error("a receiver that is none was taken")
	}
	if err := b.rules.SetReleaseReceivers(t.Context(), "default", "nothing", "ann", []string{address}); !errors.Is(err, paas.ErrNotFound) {
		t.Errorf("of no app: %v", err)
	}
	if err := set(address+"/gone", address+"/ci", "slack:"+address); err != nil {
		t.Fatal(err)
	}
	if err := set("slack:"+address, address+"/ci"); err != nil {
		t.Fatal(err)
	}
	if err := b.rules.TellRelease(t.Context(), paas.Release{Tenant: "default", App: "hello", Number: 7, State: paas.ReleaseFailed, Reason: "No version fits.", CreatedBy: "ann"}); err != nil {
		t.Fatal(err)
	}
	b.start()
	b.until("both are told", func() {}, func() bool { return len(hooks.all()) == 2 })
	for _, body := range hooks.all() {
		if body["version"] == nil {
			if text, _ := body["text"].(string); !strings.HasPrefix(text, "*hello: release 7 failed*\nRelease 7 of hello, made by ann, failed: No version fits.\n") {
				t.Errorf("%v", body)
			}
			continue
		}
		release, _ := body["release"].(map[string]any)
		if body["kind"] != "release" || release["number"] != 7.0 || release["state"] != "failed" || release["reason"] != "No version fits." || !strings.HasSuffix(release["url"].(string), "/#/apps/hello/releases/7") {
			t.Errorf("%v", body)
		}
	}
	for i := range b.cfg.PerHour {
		if err := b.rules.TellRelease(t.Context(), paas.Release{Tenant: "default", App: "hello", Number: 8 + i, State: paas.ReleaseLive, CreatedBy: "ann"}); err != nil {
			t.Fatal(err)
		}
	}
	var sent, kept int
	if err := b.pool.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE state <> 'suppressed'), count(*) FILTER (WHERE state = 'suppressed') FROM notifications WHERE kind = 'release'`).Scan(&sent, &kept); err != nil {
		t.Fatal(err)
	}
	if sent != b.cfg.PerHour || kept != 2+b.cfg.PerHour { // two were told already
		t.Errorf("of %d messages %d are sent and %d suppressed", 2+2*b.cfg.PerHour, sent, kept)
	}
}
