package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"kurama/paas"
)

func TestTerminal(t *testing.T) {
	w := newWorld(t)
	must(t, first(w.store.NewRelease(t.Context(), paas.Release{Tenant: "default", App: "default-app"})))
	dial := func(as, app, query string, header http.Header) (*websocket.Conn, int) {
		t.Helper()
		if as != "" {
			header.Set("Authorization", "Bearer "+w.tokens[as])
		}
		conn, resp, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(w.srv.URL, "http")+"/api/v1/apps/"+app+"/terminal?"+query, header)
		if err != nil {
			if resp == nil {
				t.Fatal(err)
			}
			return nil, resp.StatusCode
		}
		t.Cleanup(func() { _ = conn.Close() })
		if query != "nothing" {
			must(t, conn.WriteMessage(websocket.TextMessage, []byte(`{"command":["flask","shell"]}`)))
		}
		return conn, resp.StatusCode
	}
	t.Run("ties the caller to the command, and tells its exit code", func(t *testing.T) {
		conn, status := dial("developer", "default-app", "tty=true&term=vt100", http.Header{})
		if status != 101 {
			t.Fatalf("got %d", status)
		}
		must(t, conn.WriteMessage(websocket.TextMessage, []byte(`{"rows":50,"cols":132}`)))
		read := func(want string) {
			t.Helper()
			if _, message, err := conn.ReadMessage(); err != nil || string(message) != want {
				t.Fatalf("got %q, %v; want %q", message, err, want)
			}
		}
		read("\x01flask|shell on vt100 50×132\n")
		must(t, conn.WriteMessage(websocket.BinaryMessage, []byte("a\x00b")))
		read("\x01a\x00b")
		must(t, conn.WriteMessage(websocket.TextMessage, []byte(`{"eof":true}`)))
		read("\x02done")
		read(`{"end":true,"exit":3}`)
		if _, _, err := conn.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
			t.Errorf("got %v", err)
		}
	})
	// ended reads until the last word of a terminal.
	ended := func(t *testing.T, conn *websocket.Conn) string {
		t.Helper()
		must(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
		for {
			kind, message, err := conn.ReadMessage()
			must(t, err)
			if kind == websocket.TextMessage {
				return string(message)
			}
		}
	}
	t.Run("wants a command first", func(t *testing.T) {
		conn, _ := dial("developer", "default-app", "nothing", http.Header{})
		must(t, conn.WriteMessage(websocket.TextMessage, []byte(`{"rows":50,"cols":132}`)))
		if end := ended(t, conn); !strings.Contains(end, "No command came") || !strings.Contains(end, `"exit":126`) {
			t.Errorf("got %s", end)
		}
	})
	t.Run("is in the audit log from its beginning, once", func(t *testing.T) {
		deeds := func() int {
			return strings.Count(want(t, w.send("owner", "GET", "/api/v1/audit?action=open-terminal", nil), 200), `"status":101`)
		}
		before := deeds()
		conn, _ := dial("developer", "default-app", "", http.Header{})
		must(t, conn.WriteMessage(websocket.BinaryMessage, []byte("x")))
		if _, message, err := conn.ReadMessage(); err != nil || string(message) != "\x01x" || deeds() != before+1 {
			t.Errorf("%q, %v: %d lines", message, err, deeds())
		}
		must(t, conn.WriteMessage(websocket.TextMessage, []byte(`{"eof":true}`)))
		if end := ended(t, conn); !strings.Contains(end, `"exit":3`) || deeds() != before+1 {
			t.Errorf("%s: %d lines", end, deeds())
		}
	})
	t.Run("ends with the token of its caller", func(t *testing.T) {
		made, token, err := w.auth.CreateToken(t.Context(), paas.Token{Tenant: "default", Name: "short", Role: paas.RoleDeveloper, CreatedBy: "owner"})
		must(t, err)
		w.tokens["short"] = token
		conn, _ := dial("short", "default-app", "", http.Header{})
		must(t, conn.WriteMessage(websocket.BinaryMessage, []byte("x")))
		if _, message, err := conn.ReadMessage(); err != nil || string(message) != "\x01x" {
			t.Fatalf("%q, %v", message, err)
		}
		must(t, w.auth.DeleteToken(t.Context(), "default", made.ID, ""))
		if end := ended(t, conn); !strings.Contains(end, "you may not have it any more") {
			t.Errorf("got %s", end)
		}
	})
	t.Run("ends when its time is over", func(t *testing.T) {
		cfg := w.cfg
		cfg.TerminalTime = 50 * time.Millisecond
		w.serve(cfg, w.listen(), nil)
		conn, _ := dial("developer", "default-app", "", http.Header{})
		if end := ended(t, conn); !strings.Contains(end, "The terminal was closed after 50ms") {
			t.Errorf("got %s", end)
		}
		w.serve(w.cfg, w.listen(), nil)
	})
	t.Run("is refused to who may not, to another site, and where there is nothing to run in", func(t *testing.T) {
		for _, c := range []struct {
			as, app string
			header  http.Header
			want    int
		}{
			{"", "default-app", http.Header{}, 401}, {"viewer", "default-app", http.Header{}, 403}, {"stranger", "default-app", http.Header{}, 404},
			{"stranger", "other-app", http.Header{}, 422}, {"developer", "default-app", http.Header{"Origin": {"https://evil.example"}}, 403},
		} {
			if _, status := dial(c.as, c.app, "", c.header); status != c.want {
				t.Errorf("%s at %s: got %d, want %d", c.as, c.app, status, c.want)
			}
		}
	})
}
