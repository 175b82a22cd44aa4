package faults

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"kurama/services/persist"
)

// row is what Postgres keeps of a hostile line.
type row struct {
	Msg     string
	Exc     string
	Kind    int16
	App     string
	Replica string
	Release int
	Extra   string
	Seq     int64
}

// hostile are lines that no library would send, each with what must become of
// it. Every line is followed by a well-behaved one.
var hostile = []struct {
	name, line string
	holds      func(r row) bool
}{
	{"no UTF-8", "caf\xe9 \xff\xfe", func(r row) bool { return r.Msg == "caf\ufffd \ufffd" }},
	{"no UTF-8 in JSON", "{\"msg\":\"caf\xe9\"}", func(r row) bool { return strings.Contains(r.Msg, "caf\ufffd") }},
	{"no JSON", `{"msg": broken`, func(r row) bool { return r.Msg == `{"msg": broken` }},
	{"a JSON array", `["msg"]`, func(r row) bool { return r.Msg == `["msg"]` }},
	{"ten megabytes of text", strings.Repeat("x", 10<<20), func(r row) bool {
		return strings.HasPrefix(r.Msg, strings.Repeat("x", 64<<10)+"… (cut: ") && len(r.Msg) < 66<<10
	}},
	{"ten megabytes in one field", `{"msg":"` + strings.Repeat("y", 10<<20) + `"}`, func(r row) bool {
		return strings.Contains(r.Msg, "yyyy") && strings.Contains(r.Msg, "(cut: ") && len(r.Msg) < 66<<10
	}},
	{"deep nesting", `{"msg":"deep","extra":` + strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000) + "}", func(r row) bool {
		return strings.Contains(r.Msg, "deep")
	}},
	{"deep nesting without an end", strings.Repeat("[", 100_000), func(r row) bool { return strings.HasPrefix(r.Msg, "[[[") }},
	{"NUL", "{\"msg\":\"a\\u0000b\",\"extra\":{\"k\\u0000\":\"\\u0000\"}}", func(r row) bool { return r.Msg == "a\ufffdb" }},
	{"raw NUL", "a\x00b\x00", func(r row) bool { return r.Msg == "a\ufffdb\ufffd" }},
	{"line ends in a text", `{"msg":"one\ntwo\r\nthree"}`, func(r row) bool { return r.Msg == "one\ntwo\r\nthree" }},
	{"halves of surrogate pairs", `{"msg":"\ud800x","extra":{"a":"\udfff"}}`, func(r row) bool { return r.Msg == "\ufffdx" }},
	{"numbers beyond any type", `{"msg":"big","status":99999999999999999999,"dur":1e999999,"extra":{"n":1e999999,"m":-1e999999}}`, func(r row) bool {
		return strings.Contains(r.Msg, "big")
	}},
	{"another's identity", `{"msg":"mine","tenant":"other","app":"other","release":9,"replica":"other-9-zzzzzz","kind":"request","level":"ERROR"}`, func(r row) bool {
		return r.Msg == "mine" && r.Kind == 2
	}},
	{"an event of the platform", `{"kind":"event","msg":"fake","extra":{"event":"deployed","EVENT":"dropped"}}`, func(r row) bool {
		return r.Msg == "fake" && !strings.Contains(r.Extra, `"deployed"`) && !strings.Contains(r.Extra, `"dropped"`)
	}},
	{"times out of this world", `{"msg":"when","ts":"9999-12-31T23:59:59.999999Z"}`, func(r row) bool { return r.Msg == "when" }},
	{"the same key twice", `{"msg":"first","msg":"second"}`, func(r row) bool { return r.Msg == "first" || r.Msg == "second" }},
	{"control lines that are none", "!resend -5", func(r row) bool { return r.Msg == "!resend -5" }},
	{"a resend of more than there are", "!resend 99999999999999999999", func(r row) bool { return strings.HasPrefix(r.Msg, "!resend 9") }},
}

func TestHostileLinesAreKeptAsTextAndHarmNobody(t *testing.T) {
	t.Parallel()
	in := install(t, nil).start("rogue", "calm")
	in.container("rogue-1-aaaaaa", "-wait")
	calm := in.logs("calm", "s", 100)
	t.Run("on a replica's socket", func(t *testing.T) {
		in.use(t)
		in.sendRaw(t, "aaaaaa")
		rows := in.hostileRows(t, "rogue-1-aaaaaa")
		for _, h := range hostile {
			checkLine(t, h.name, rows, h.holds)
		}
	})
	t.Run("on stdout", func(t *testing.T) {
		in.use(t)
		folder := filepath.Join(in.folders.Run, "replicas", "rogue-1-bbbbbb")
		must(t, os.MkdirAll(folder, 0o755))
		// Less than the 20 MiB that the engine keeps, should the agent be late: one line of 10 MB is enough.
		must(t, os.WriteFile(filepath.Join(folder, "lines"), []byte(strings.ReplaceAll(hostileText(), strings.Repeat("y", 9<<20), "")), 0o644))
		in.container("rogue-1-bbbbbb", "-print", "/run/kurama/lines")
		rows := in.hostileRows(t, "rogue-1-bbbbbb")
		for _, h := range hostile { // on stdout a line is text, whatever it looks like
			head := strings.ToValidUTF8(strings.ReplaceAll(h.line[:min(len(h.line), 10<<10)], "\x00", "\ufffd"), "\ufffd")
			checkLine(t, h.name, rows, func(r row) bool { return strings.HasPrefix(squeeze(r.Msg), squeeze(head)) && len(r.Msg) < 66<<10 })
		}
	})
	in.verify(calm.stop())
	archived := in.archived("rogue", "good", 2*len(hostile))
	if len(archived) != 2*len(hostile) {
		t.Errorf("the archive holds %d of %d good lines", len(archived), 2*len(hostile))
	}
	for _, name := range chain {
		if n := in.roles[name].endings(); n > 0 {
			t.Errorf("%s ended %d times", name, n)
		}
	}
}

// hostileText is every hostile line with a good one behind it.
func hostileText() string {
	var text strings.Builder
	for i, h := range hostile {
		text.WriteString(h.line + "\n" + numbered("good", i) + "\n")
	}
	return text.String()
}

// sendRaw writes the lines to the replica's socket and waits until the last is
// acknowledged.
func (in *installation) sendRaw(t *testing.T, id string) {
	t.Helper()
	path := filepath.Join(in.folders.Run, "replicas", "rogue-1-"+id, "log.sock")
	var conn net.Conn
	eventually(t, arrival, func() (err error) {
		conn, err = net.Dial("unix", path)
		return err
	})
	defer func() { _ = conn.Close() }()
	go func() { _, _ = conn.Write([]byte(hostileText())) }() // what is lost is missed below
	_ = conn.SetReadDeadline(time.Now().Add(arrival))
	want := fmt.Sprintf("ack %d", 2*len(hostile))
	for acks := bufio.NewScanner(conn); acks.Scan(); {
		if acks.Text() == want {
			return
		}
	}
	t.Error("not all lines were acknowledged")
}

// squeeze makes one sign of several that stand for bytes that are no UTF-8:
// how many stand for a run of them differs between engines.
func squeeze(text string) string {
	for strings.Contains(text, "\ufffd\ufffd") {
		text = strings.ReplaceAll(text, "\ufffd\ufffd", "\ufffd")
	}
	return text
}

// hostileRows waits for the lines of a replica and checks what holds for all.
func (in *installation) hostileRows(t *testing.T, replica string) []row {
	t.Helper()
	var rows []row
	eventually(t, arrival, func() error {
		found, err := in.pool.Query(t.Context(), `SELECT msg, coalesce(exc, ''), kind, app, replica, release, coalesce(extra::text, ''), seq
			FROM records WHERE replica = $1 AND kind <> 3 ORDER BY seq, ts, id`, replica)
		if err != nil {
			return err
		}
		if rows, err = pgx.CollectRows(found, pgx.RowToStructByPos[row]); err != nil {
			return err
		}
		if len(rows) < 2*len(hostile) {
			return fmt.Errorf("Postgres holds %d lines of %d", len(rows), 2*len(hostile))
		}
		return nil
	})
	good := 0
	for _, r := range rows {
		if r.App != "rogue" || r.Release != 1 || r.Replica != replica {
			t.Errorf("%.40q is of app %q, release %d, replica %q", r.Msg, r.App, r.Release, r.Replica)
		}
		if strings.HasPrefix(r.Msg, "good:") {
			good++
		}
	}
	if good != len(hostile) || len(rows) != 2*len(hostile) {
		t.Errorf("%d lines are there, %d of them good, of %d pairs", len(rows), good, len(hostile))
	}
	page, _, err := persist.NewQuery(in.pool).Logs(t.Context(), persist.Filter{Tenant: tenant, App: "rogue", Limit: 500})
	if err != nil || len(page) < len(rows) {
		t.Errorf("the log page holds %d records: %v", len(page), err)
	}
	return rows
}

func checkLine(t *testing.T, name string, rows []row, holds func(row) bool) {
	t.Helper()
	for _, r := range rows {
		if holds(r) {
			return
		}
	}
	var heads []string
	for _, r := range rows {
		if !strings.HasPrefix(r.Msg, "good:") {
			heads = append(heads, fmt.Sprintf("%.60q (%d bytes, extra %.40s)", r.Msg, len(r.Msg), r.Extra))
		}
	}
	t.Errorf("%s: none of the records is what it should have become:\n%s", name, strings.Join(heads, "\n"))
}
