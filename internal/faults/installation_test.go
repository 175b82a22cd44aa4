package faults

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/config"
	"kurama/internal/postgres"
	"kurama/internal/smtptest"
	"kurama/logship/record"
	"kurama/paas"
	"kurama/paas/auth"
)

// tenant is whose apps send.
const tenant = paas.DefaultTenant

// chain are the roles between a log call and its sinks, in the order in which
// they start.
var chain = []string{"stream", "logship", "persist", "archive", "profile", "alert", "dashboard"}

// quick are settings under which seconds show what takes minutes by default:
// many small files, many commits, many batches. The burst above the rate limit
// takes what an app with 450 lines a second has waiting after 40 s without an
// agent: on a busy machine one takes so long to come back.
const quick = `
log_level: info
stream: {listen: '127.0.0.1:%s', max_bytes: 1GiB}
dashboard: {listen: '127.0.0.1:%s', history: 2h}
smtp: {host: 127.0.0.1, port: %s, tls: none, from: kurama@example.org, timeout: 5s}
archive: {seal_age: 1s, seal_records: 700}
persist: {batch_records: 2000}
profile: {flush_interval: 300ms}
alert: {interval: 250ms, retry_min: 1s, per_hour: 100000, group_by: rule}
logship: {rate_limit: 4000, rate_burst: 20000}
`

// installation is the pipeline as processes of its own, with its own folders,
// database, mail server and ports.
type installation struct {
	t       testing.TB // what fails now: the test or one of its subtests
	top     testing.TB // the test
	cfg     config.Config
	folders config.Folders
	config  string // path of the file
	id      string // instance
	live    string // address of the dashboard
	token   string // of an operator

	db    *database
	mail  *smtptest.Server
	pool  *pgxpool.Pool
	roles map[string]*process

	docker sync.Once
	dock   *docker
}

// install makes an installation in a folder of its own; prepare may mount
// something there first. Nothing runs yet but the mail server.
func install(t testing.TB, prepare func(data string)) *installation {
	t.Helper()
	data, err := os.MkdirTemp("", "kf-")
	must(t, err)
	in := &installation{t: t, top: t, mail: smtptest.Start(t, "127.0.0.1:0"), roles: map[string]*process{}}
	t.Cleanup(func() { _ = os.RemoveAll(data) })
	must(t, os.Chmod(data, 0o755))
	if prepare != nil {
		prepare(data)
	}
	ports := freePorts(t, 2)
	in.live = "127.0.0.1:" + ports[1]
	in.config = filepath.Join(t.TempDir(), "kuramaconfig.yaml")
	must(t, os.WriteFile(in.config, fmt.Appendf(nil, quick, ports[0], ports[1], strconv.Itoa(in.mail.Addr.Port)), 0o600))
	in.cfg, err = config.Load(in.config, nil)
	must(t, err)
	in.cfg.Data = data
	in.folders, err = in.cfg.Folders()
	must(t, err)
	must(t, in.folders.Make())
	in.id, err = in.folders.Instance()
	must(t, err)
	_, err = in.folders.StreamToken()
	must(t, err)
	return in
}

// start brings up the database and the roles, and makes the apps.
func (in *installation) start(apps ...string) *installation {
	in.t.Helper()
	in.startDatabase()
	for _, app := range apps {
		in.app(app)
	}
	in.startRoles()
	in.t.Cleanup(in.stop)
	in.t.Cleanup(func() { // the folder of the messages goes before the roles are stopped
		if in.t.Failed() {
			in.tell()
		}
	})
	return in
}

// configure changes the configuration before the start.
func (in *installation) configure(from, to string) {
	in.t.Helper()
	text, err := os.ReadFile(in.config)
	must(in.t, err)
	changed := strings.Replace(string(text), from, to, 1)
	if changed == string(text) {
		in.t.Fatalf("%q is not in the configuration", from)
	}
	must(in.t, os.WriteFile(in.config, []byte(changed), 0o600))
}

// use makes what follows fail t, a subtest, until that ends.
func (in *installation) use(t *testing.T) {
	outer := in.t
	in.t = t
	t.Cleanup(func() { in.t = outer })
}

func (in *installation) startDatabase() {
	in.t.Helper()
	in.db = newDatabase(in)
	in.db.start()
	must(in.t, postgres.Migrate(in.t.Context(), in.db.server.DSN()))
	if in.pool == nil {
		pool, err := postgres.Open(in.t.Context(), in.db.server.DSN(), 4)
		must(in.t, err)
		in.pool = pool
		in.t.Cleanup(pool.Close)
	}
	_, err := auth.New(in.cfg.Console, in.pool).Bootstrap(in.t.Context(), in.folders.Data)
	must(in.t, err)
	token, err := os.ReadFile(in.folders.Sub("admin.token"))
	must(in.t, err)
	in.token = strings.TrimSpace(string(token))
}

func (in *installation) startRoles() {
	in.t.Helper()
	for _, name := range chain {
		in.roles[name] = keep(name, []string{name, "--config", in.config, "--data", in.folders.Data}, in.logFile(name))
	}
	in.awaitReady(chain...)
}

// logFile is where a role's messages go: outside of DATA, whose disk may fill.
func (in *installation) logFile(name string) *os.File {
	f, err := os.OpenFile(filepath.Join(filepath.Dir(in.config), name+".log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	must(in.t, err)
	return f
}

// stop ends the roles, the last first, and the database.
func (in *installation) stop() {
	for i := len(chain) - 1; i >= 0; i-- {
		in.roles[chain[i]].stop(syscall.SIGTERM)
	}
	in.pool.Close()
	in.db.stop()
}

// tell shows what the roles said last.
func (in *installation) tell() {
	for _, name := range chain {
		in.t.Logf("%s said last:\n%s", name, in.lastWords(name, 8))
	}
}

func (in *installation) lastWords(name string, n int) string {
	text, err := os.ReadFile(filepath.Join(filepath.Dir(in.config), name+".log"))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// awaitReady waits until the roles say that they are at work.
func (in *installation) awaitReady(names ...string) {
	in.t.Helper()
	for _, name := range names {
		eventually(in.t, 60*time.Second, func() error {
			if err := in.ready(name); err != nil {
				return fmt.Errorf("%s is not ready: %w\n%s", name, err, in.lastWords(name, 5))
			}
			return nil
		})
	}
}

// ready asks a role's /readyz.
func (in *installation) ready(name string) error {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		if name == "dashboard" {
			return (&net.Dialer{}).DialContext(ctx, "tcp", in.live)
		}
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(in.folders.Run, "roles", name+".sock"))
	}
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	res, err := client.Get("http://role/readyz")
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	return nil
}

// app makes an app, as the control plane would.
func (in *installation) app(name string) {
	in.t.Helper()
	_, err := in.pool.Exec(in.t.Context(), `INSERT INTO apps (tenant, name) VALUES ($1, $2) ON CONFLICT DO NOTHING`, tenant, name)
	must(in.t, err)
}

// killAll kills the named roles at the same moment, with kill -9.
func (in *installation) killAll(names ...string) {
	var gone []<-chan struct{}
	for _, name := range names {
		if g := in.roles[name].signal(syscall.SIGKILL); g != nil {
			gone = append(gone, g)
		}
	}
	for _, g := range gone {
		<-g
	}
}

func freePorts(t testing.TB, n int) []string {
	t.Helper()
	var ports []string
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		defer func() { _ = ln.Close() }() // all at once, so that none comes twice
		_, port, err := net.SplitHostPort(ln.Addr().String())
		must(t, err)
		ports = append(ports, port)
	}
	return ports
}

// run runs a program of the system and fails with what it printed.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func logRecord(app, replica, msg string) *record.Record {
	return &record.Record{Kind: record.KindLog, Level: record.LevelInfo, Tenant: tenant, App: app, Release: 1, Replica: replica, Msg: msg}
}
