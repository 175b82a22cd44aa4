package main

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
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/client"
	"kurama/internal/config"
	"kurama/internal/postgres"
)

// ownPorts are settings that every platform of the bench has: ports that are
// free, and no second replica that would share the load of one.
const ownPorts = `console: {listen: '127.0.0.1:%s'}
dashboard: {listen: '127.0.0.1:%s'}
router: {listen: '127.0.0.1:%s'}
stream: {listen: '127.0.0.1:%s'}
log_level: warn
autoscaler: {max: 1}
`

// unbounded takes the bounds off the one app that makes all records: where the
// platform is measured to its limit, the app's must not come first.
const unbounded = `logship: {rate_limit: 1000000, rate_burst: 1000000}
docker: {output_rate: 0}
`

// platform is one running `kurama up` with all its roles and its own Postgres.
type platform struct {
	program, data, config      string
	console, dashboard, router string // host:port
	folders                    config.Folders
	dsn                        string
	cmd                        *exec.Cmd
	ended                      chan error
	out                        *output
	api                        *client.Client
	pool                       *pgxpool.Pool
	app                        *app // nil until something was deployed
}

// output collects what a process prints, for the messages of failures.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

// String returns what was printed so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// up returns the running platform, which the first caller starts.
func (b *bench) up(ctx context.Context) (*platform, error) {
	if b.place != nil && b.place.pool == nil {
		return nil, errors.New("the platform did not start, as said above")
	}
	if b.place != nil {
		return b.place, nil
	}
	p, err := newPlatform(b.program, ownPorts+unbounded)
	if err != nil {
		return nil, err
	}
	b.place = p
	took, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	b.say("kurama up, on a new data folder: ready after %.1f s", took.Seconds())
	return p, nil
}

// stop ends the platform and removes all that it left.
func (b *bench) stop() error {
	if b.place == nil {
		return nil
	}
	return b.place.remove()
}

func newPlatform(program, settings string) (*platform, error) {
	data, err := os.MkdirTemp("", "kurama-bench-")
	if err != nil {
		return nil, fmt.Errorf("making a data folder: %w", err)
	}
	ports, err := freePorts(4)
	if err != nil {
		return nil, err
	}
	p := &platform{program: program, data: data, config: filepath.Join(data, "config.yaml"),
		console: "localhost:" + ports[0], dashboard: "localhost:" + ports[1], router: "localhost:" + ports[2]}
	text := fmt.Sprintf(settings, ports[0], ports[1], ports[2], ports[3])
	// The folder must let the database's own user in.
	if err := errors.Join(os.Chmod(data, 0o755), os.WriteFile(p.config, []byte(text), 0o600)); err != nil {
		return nil, fmt.Errorf("preparing %s: %w", data, err)
	}
	cfg, err := config.Load(p.config, nil)
	if err != nil {
		return nil, fmt.Errorf("the bench's own configuration: %w", err)
	}
	cfg.Data = data
	if p.folders, err = cfg.Folders(); err != nil {
		return nil, err
	}
	p.dsn, err = postgres.DSN(cfg.Database, p.folders.Run)
	return p, err
}

// freePorts returns n ports of this host that nobody listens on.
func freePorts(n int) ([]string, error) {
	var ports []string
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("looking for a free port: %w", err)
		}
		defer func() { _ = ln.Close() }() // all at once, so that none comes twice
		_, port, err := net.SplitHostPort(ln.Addr().String())
		if err != nil {
			return nil, fmt.Errorf("looking for a free port: %w", err)
		}
		ports = append(ports, port)
	}
	return ports, nil
}

// start runs `kurama up` and returns how long it took to be ready.
func (p *platform) start(ctx context.Context) (time.Duration, error) {
	p.out = &output{}
	p.cmd = exec.Command(p.program, "up", "--config", p.config, "--data", p.data, "--no-demo")
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	// Own process group: Ctrl-C must reach this program first, which stops it cleanly.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return 0, fmt.Errorf("starting %s: %w", p.program, err)
	}
	p.ended = make(chan error, 1)
	go func(cmd *exec.Cmd, ended chan error) { ended <- cmd.Wait() }(p.cmd, p.ended)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(p.out.String(), "kurama is ready\n") {
		select {
		case err := <-p.ended:
			p.cmd = nil
			return 0, fmt.Errorf("kurama up ended: %w\n%s", err, p.out)
		case <-ctx.Done():
			return 0, fmt.Errorf("kurama up is not ready: %w\n%s", ctx.Err(), p.out)
		case <-tick.C:
		}
	}
	took := time.Since(began)
	return took, p.connect(ctx)
}

// connect opens the API and the database as the administrator.
func (p *platform) connect(ctx context.Context) error {
	var err error
	if p.api, err = p.client(""); err != nil {
		return err
	}
	p.pool, err = postgres.Open(ctx, p.dsn, 4)
	return err
}

// client asks the API as the administrator, for a tenant where one is named.
func (p *platform) client(tenant string) (*client.Client, error) {
	token, err := os.ReadFile(p.folders.Sub("admin.token"))
	if err != nil {
		return nil, fmt.Errorf("reading the administrator's token: %w", err)
	}
	return client.New("http://"+p.console, strings.TrimSpace(string(token)), tenant)
}

// stop ends the platform as Ctrl-C does.
func (p *platform) stop() error {
	if p.pool != nil {
		p.pool.Close()
		p.pool = nil
	}
	if p.cmd == nil {
		return nil
	}
	cmd := p.cmd
	p.cmd = nil
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stopping kurama up: %w", err)
	}
	select {
	case err := <-p.ended:
		if err != nil {
			return fmt.Errorf("kurama up ended: %w\n%s", err, p.out)
		}
		return nil
	case <-time.After(time.Minute):
		_ = cmd.Process.Kill() // the error below tells
		return fmt.Errorf("kurama up did not end within a minute:\n%s", p.out)
	}
}

// remove stops the platform and takes away its folders, containers and networks.
func (p *platform) remove() error {
	err := p.stop()
	if instance, readErr := p.folders.Instance(); readErr == nil {
		err = errors.Join(err, removeLabelled("kurama.instance="+instance))
	}
	for _, dir := range []string{p.folders.Run, p.data} {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}

// process returns the id of the process of a role.
func (p *platform) process(role string) (int, error) {
	list, err := tree(p.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	for _, one := range list {
		if one.name == role {
			return one.pid, nil
		}
	}
	return 0, fmt.Errorf("the role %s does not run", role)
}

// use returns what the platform, its database with it, has used so far.
func (p *platform) use() (usage, error) { return use(p.cmd.Process.Pid) }

// quiet is the use of one core below which nothing is taken to be under way.
const quiet = 0.25

// settle waits until what was sent is through every sink: no figure may carry
// the rest of the one before.
func (p *platform) settle(ctx context.Context) error {
	const look = 250 * time.Millisecond
	before, err := p.use()
	if err != nil {
		return err
	}
	for calm := 0; calm < 3; {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the platform to settle: %w", ctx.Err())
		case <-time.After(look):
		}
		now, err := p.use()
		if err != nil {
			return err
		}
		if now.since(before).total.Seconds() < quiet*now.at.Sub(before.at).Seconds() {
			calm++
		} else {
			calm = 0
		}
		before = now
	}
	return nil
}
