package api_test

import (
	"net/http"
	"strings"
	"testing"

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
		conn, resp, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(w.srv.URL, "http")+"/api/v1/apps/"+app+"/terminal?command=flask&command=shell"+query, header)
		if err != nil {
			if resp == nil {
				t.Fatal(err)
			}
			return nil, resp.StatusCode
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn, resp.StatusCode
	}
	t.Run("ties the caller to the command, and tells its exit code", func(t *testing.T) {
		conn, status := dial("developer", "default-app", "&tty=true&term=vt100", http.Header{})
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
