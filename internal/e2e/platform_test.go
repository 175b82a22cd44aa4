// Package e2e tests the real program: `kurama up` as a process with its own
// Postgres, stream, containers and pages, used as its users use it.
package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/config"
	"kurama/internal/postgres"
	"kurama/paas/auth"
)

// binary is the program under test, built once by TestMain.
var binary string

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "kurama-bin-")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "kurama")
	build := exec.Command("go", "build", "-o", binary, "kurama/cmd/kurama")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Printf("building the program: %v\n%s", err, out)
		return 1
	}
	defer stopShared()
	return m.Run()
}

// platform is one running `kurama up`.
type platform struct {
	data                       string
	console, dashboard, router string // addresses
	token, user, password      string
	env                        []string
	config                     string
	cmd                        *exec.Cmd
	out                        *output
}

// output collects what a process prints, for messages of failing tests.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// quick are settings that let a test see in seconds what takes minutes by default.
const quick = `
log_level: warn
archive: {seal_age: 2s}
autoscaler: {max: 3}
logship: {rate_limit: 100000}
`

// newPlatform prepares an installation with free ports and its own folder.
func newPlatform(extra string) (*platform, error) {
	data, err := os.MkdirTemp("", "kurama-e2e-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(data, 0o755); err != nil {
		return nil, err
	}
	ports, err := freePorts(4)
	if err != nil {
		return nil, err
	}
	p := &platform{data: data, config: filepath.Join(data, "config.yaml"),
		console: "http://localhost:" + ports[0], dashboard: "http://localhost:" + ports[1], router: "http://localhost:" + ports[2]}
	text := fmt.Sprintf("console: {listen: '127.0.0.1:%s'}\ndashboard: {listen: '127.0.0.1:%s'}\nrouter: {listen: '0.0.0.0:%s'}\nstream: {listen: '127.0.0.1:%s'}\n%s",
		ports[0], ports[1], ports[2], ports[3], quick+extra)
	return p, os.WriteFile(p.config, []byte(text), 0o600)
}

func freePorts(n int) ([]string, error) {
	var ports []string
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = ln.Close() }() // all at once, so that none comes twice
		_, port, err := net.SplitHostPort(ln.Addr().String())
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}

// start runs `kurama up` and waits until it is ready.
func (p *platform) start(args ...string) error {
	p.out = &output{}
	p.cmd = exec.Command(binary, append([]string{"up", "--config", p.config, "--data", p.data, "--no-demo"}, args...)...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	cmd := p.cmd
	go func() { ended <- cmd.Wait() }()
	deadline := time.Now().Add(4 * time.Minute) // the first start on a machine makes the base image
	for !strings.Contains(p.out.String(), "kurama is ready\n") {
		select {
		case err := <-ended:
			return fmt.Errorf("kurama up ended: %w\n%s", err, p.out)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("kurama up is not ready:\n%s", p.out)
		}
	}
	return p.readAccount()
}

func (p *platform) readAccount() error {
	token, err1 := os.ReadFile(filepath.Join(p.data, "admin.token"))
	name, password, err2 := auth.ReadAdmin(p.data)
	p.token, p.user, p.password = strings.TrimSpace(string(token)), name, password
	p.env = append(os.Environ(), "KURAMA_URL="+p.console, "KURAMA_TOKEN="+p.token, "KURAMA_ROUTER="+p.router, "HOME="+p.data)
	return errors.Join(err1, err2)
}

// stop ends the platform as Ctrl-C does.
func (p *platform) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.waitGone(60 * time.Second)
}

// kill ends the platform as a crash does.
func (p *platform) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	return p.waitGone(20 * time.Second)
}

func (p *platform) waitGone(limit time.Duration) error {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if syscall.Kill(p.cmd.Process.Pid, 0) != nil {
			return nil
		}
	}
	return fmt.Errorf("kurama up did not end within %s:\n%s", limit, p.out)
}

// cli runs a subcommand as the administrator and returns what it printed.
func (p *platform) cli(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env, cmd.Dir = p.env, p.data
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// must runs a subcommand that has to succeed.
func (p *platform) must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := p.cli(args...)
	if err != nil {
		t.Fatalf("kurama %s: %v\n%s\nplatform:\n%s", strings.Join(args, " "), err, out, p.out)
	}
	return out
}

// host is the address on which an app of the default tenant answers.
func (p *platform) host(app string) string {
	return strings.Replace(p.router, "localhost", app+".localhost", 1)
}

// pool opens the platform's own database.
func (p *platform) pool(t *testing.T) *pgxpool.Pool {
	t.Helper()
	cfg, err := config.Load(p.config, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Data = p.data
	folders, err := cfg.Folders()
	if err != nil {
		t.Fatal(err)
	}
	dsn, err := postgres.DSN(cfg.Database, folders.Run)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := postgres.Open(t.Context(), dsn, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

var (
	sharedOnce sync.Once
	shared     *platform
	sharedErr  error
)

// sharedPlatform is one installation for all tests that do not stop it.
func sharedPlatform(t *testing.T) *platform {
	t.Helper()
	sharedOnce.Do(func() {
		if shared, sharedErr = newPlatform(""); sharedErr == nil {
			sharedErr = shared.start()
		}
	})
	if sharedErr != nil {
		t.Fatal(sharedErr)
	}
	return shared
}

func stopShared() {
	if shared != nil && shared.cmd != nil {
		if err := shared.stop(); err != nil {
			fmt.Println(err)
		}
		_ = os.RemoveAll(shared.data)
	}
}

// eventually polls until check returns nil, or fails with its last error.
func eventually(t *testing.T, limit time.Duration, check func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if err = check(); err == nil {
			return
		}
	}
	t.Fatalf("not within %s: %v", limit, err)
}

// writeApp writes the files of an app into a new folder and returns it.
func writeApp(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
