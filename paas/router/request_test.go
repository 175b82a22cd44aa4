package router

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"kurama/logship/record"
)

func TestRequest(t *testing.T) {
	t.Run("goes to the app of its host and leaves one record with what the app says", func(t *testing.T) {
		b := start(t, testConfig())
		var seen http.Header
		var host, uri string
		b.route(t, replica(t, "hello-7-aaaaaa", func(w http.ResponseWriter, r *http.Request) {
			seen, host, uri = r.Header.Clone(), r.Host, r.RequestURI
			h := w.Header()
			h.Set("X-Kurama-Request", fmt.Sprint(time.Now().Add(time.Second).UnixNano(), " 1250000 750500 /user/<id>"))
			h.Set("X-Kurama-Exc", "Traceback%0A  100%25")
			h.Set("X-Kurama-Other", "x")
			h.Set("X-App", "kept")
			w.WriteHeader(500)
			io.WriteString(w, "broken")
		}))
		r := b.request(t, "GET", "/user/7?q=%20a", nil)
		r.Host = "HELLO.localhost:8080"
		r.Header.Set("X-Request-ID", "abc-1")
		r.Header.Set("X-Kurama-Start", "1")
		r.Header.Set("X_Kurama_Start", "1")
		r.Header.Set("X-Forwarded-For", "10.1.1.1")
		r.Header.Set("Connection", "X-Secret")
		r.Header.Set("X-Secret", "1")
		resp, err := b.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 500 || string(body) != "broken" || resp.Header.Get("X-App") != "kept" || resp.Header.Get("X-Request-ID") != "abc-1" {
			t.Errorf("client got %d %q %v", resp.StatusCode, body, resp.Header)
		}
		for key := range resp.Header {
			if strings.HasPrefix(key, "X-Kurama") {
				t.Errorf("client sees %s", key)
			}
		}
		if host != "HELLO.localhost:8080" || uri != "/user/7?q=%20a" || seen.Get("X-Request-ID") != "abc-1" ||
			seen.Get("X-Forwarded-For") != "10.1.1.1, 127.0.0.1" || seen.Get("X-Forwarded-Proto") != "http" ||
			seen.Get("X-Secret") != "" || seen["X_kurama_start"] != nil || seen["X-Kurama-Start"] != nil {
			t.Errorf("the app got %s %s %v", host, uri, seen)
		}
		got := b.records.request(t, 1)
		if got.Kind != record.KindRequest || got.Level != record.LevelError || got.Tenant != "default" || got.App != "hello" ||
			got.Release != 7 || got.Replica != "hello-7-aaaaaa" || got.Method != "GET" || got.URL != "/user/7?q=%20a" ||
			got.Route != "/user/<id>" || got.Status != 500 || got.Req != "abc-1" || got.Exc != "Traceback\n  100%" ||
			got.CPUMs != record.Num(1.25) || got.DBMs != record.Num(0.75) || got.Bytes != record.Num(6) || got.Queue.Value < 1000 || got.Queue.Value > 9000 || got.CPU.Known || !got.Dur.Known || got.Dur.Value <= 0 {
			t.Errorf("record %+v", got)
		}
		mustContain(t, got.Msg, "GET /user/7 500 ", " ms")
	})

	t.Run("lasts until the last byte", func(t *testing.T) {
		b := start(t, testConfig())
		b.route(t, replica(t, "r", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "a")
			w.(http.Flusher).Flush()
			time.Sleep(60 * time.Millisecond)
			io.WriteString(w, "b")
		}))
		if _, body := b.get(t, "/"); body != "ab" {
			t.Errorf("body %q", body)
		}
		if dur := b.records.request(t, 1).Dur.Value; dur < 55 || dur > 2000 {
			t.Errorf("dur is %v ms", dur)
		}
	})

	t.Run("for an unknown host is told so and leaves no record", func(t *testing.T) {
		b := start(t, testConfig())
		r := b.request(t, "GET", "/", nil)
		r.Host = "nobody.localhost"
		r.Header.Set("Accept", "application/json")
		status, body := b.do(t, r)
		var problem struct {
			Status        int
			Title, Detail string
		}
		if err := json.Unmarshal([]byte(body), &problem); err != nil || status != 404 || problem.Status != 404 {
			t.Errorf("%d %s %v", status, body, err)
		}
		mustContain(t, problem.Detail, "nobody.localhost")
		if n := len(b.records.of(record.KindRequest)); n != 0 {
			t.Errorf("%d records", n)
		}
		r.Host = "localhost:8080"
		r.URL.Path = "/healthz"
		if status, body := b.do(t, r); status != 200 || body != "ok\n" {
			t.Errorf("/healthz: %d %q", status, body)
		}
	})

	t.Run("with a body reaches the app whole, whatever its length and form", func(t *testing.T) {
		cfg := testConfig()
		cfg.MaxBody = 1 << 20
		b := start(t, cfg)
		b.route(t, replica(t, "r", func(w http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			fmt.Fprintf(w, "%s %d %d", r.Method, n, r.ContentLength)
		}))
		for _, size := range []int{0, 1, 4096, inlineBody, inlineBody + 1, 1 << 20} {
			if _, body := b.do(t, b.request(t, "POST", "/", strings.NewReader(strings.Repeat("x", size)))); body != fmt.Sprintf("POST %d %d", size, size) {
				t.Errorf("%d bytes: %q", size, body)
			}
			chunked := io.MultiReader(strings.NewReader(strings.Repeat("x", size)))
			if _, body := b.do(t, b.request(t, "POST", "/", chunked)); body != fmt.Sprintf("POST %d -1", size) && size > 0 {
				t.Errorf("%d bytes, chunked: %q", size, body)
			}
		}
	})

	t.Run("with a body above the limit is refused", func(t *testing.T) {
		cfg := testConfig()
		cfg.MaxBody = 64 << 10 // so little that the client has sent it all before the answer cuts it off
		b := start(t, cfg)
		b.route(t, replica(t, "r", func(w http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			fmt.Fprintf(w, "%s %d %d", r.Method, n, r.ContentLength)
		}))
		for name, body := range map[string]func() io.Reader{
			"of known length": func() io.Reader { return strings.NewReader(strings.Repeat("x", 64<<10+1)) },
			"chunked":         func() io.Reader { return io.MultiReader(strings.NewReader(strings.Repeat("x", 64<<10+1))) },
		} {
			// A client that is still sending may see its connection end before it reads the answer (RFC 9112, section 9.6).
			resp, err := b.http.Do(b.request(t, "POST", "/", body()))
			for tries := 0; err != nil && tries < 5; tries++ {
				resp, err = b.http.Do(b.request(t, "POST", "/", body()))
			}
			if err != nil {
				t.Fatal(err)
			}
			page, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != 413 {
				t.Errorf("%s: %d %v", name, resp.StatusCode, err)
			}
			mustContain(t, string(page), "64KiB")
		}
		if status, body := b.get(t, "/"); status != 200 || body != "GET 0 0" {
			t.Errorf("afterwards: %d %q", status, body)
		}
	})
}
