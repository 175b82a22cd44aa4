package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	rsyslogRounds = 3
	rsyslogLines  = 60_000
)

// measureRsyslog sends lines to rsyslog, whose ompgsql stores them in the same
// Postgres, in turns with the ingest through every sink of Kurama.
func (b *bench) measureRsyslog(ctx context.Context) error {
	program, err := findRsyslog()
	if err != nil {
		b.say("not compared: %v", err)
		return nil
	}
	p, err := b.up(ctx)
	if err != nil {
		return err
	}
	peer, err := p.startRsyslog(ctx, program)
	if err != nil {
		return err
	}
	defer func() { b.warn(peer.stop()) }()
	var ours leg
	var theirs []float64
	for round := range rsyslogRounds {
		if err := p.ingest(ctx, fmt.Sprintf("%d-beside", round), &ours); err != nil {
			return err
		}
		if err := p.settle(ctx); err != nil {
			return err
		}
		rate, err := peer.round(ctx)
		if err != nil {
			return err
		}
		theirs = append(theirs, rate)
	}
	b.report.add(figure{Section: "rsyslog", Name: "agent's socket → row, every sink at work", Unit: "rows/s", Runs: ours.rates,
		Peer: "rsyslog, ompgsql, no index", PeerRuns: theirs, Aim: ratioAtLeast(5)})
	return nil
}

// findRsyslog returns the path of rsyslogd where its Postgres output is there too.
func findRsyslog() (string, error) {
	program, err := exec.LookPath("rsyslogd")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/rsyslogd"); err != nil {
			return "", errors.New("rsyslog is not installed (apt-get install rsyslog rsyslog-pgsql)")
		}
	}
	modules, err := filepath.Glob("/usr/lib/*/rsyslog/ompgsql.so")
	if err != nil || len(modules) == 0 {
		return "", errors.New("rsyslog has no Postgres output here (apt-get install rsyslog-pgsql)")
	}
	return program, nil
}

// rsyslog is a running rsyslogd with a table of its own: time and line, without
// an index, which is less work than Kurama's table is.
type rsyslog struct {
	cmd  *exec.Cmd
	out  *output
	addr string
	pool *pgxpool.Pool
	load []byte
}

// Batches of 5 000 and four workers were the fastest of those tried.
const rsyslogConfig = `module(load="imptcp")
module(load="ompgsql")
global(workDirectory="%s" maxMessageSize="64k")
template(name="row" type="string" option.stdsql="on" string="INSERT INTO rsyslog_lines (at, line) VALUES ('%%timegenerated:::date-rfc3339%%', '%%rawmsg%%')")
ruleset(name="rows") {
  action(type="ompgsql" conninfo="%s" template="row" queue.type="LinkedList" queue.size="400000" queue.dequeueBatchSize="5000"
    queue.workerThreads="4" queue.timeoutEnqueue="600000")
}
input(type="imptcp" address="127.0.0.1" port="%s" ruleset="rows")
`

func (p *platform) startRsyslog(ctx context.Context, program string) (*rsyslog, error) {
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	if _, err := p.pool.Exec(ctx, "CREATE TABLE rsyslog_lines (at timestamptz NOT NULL, line text NOT NULL)"); err != nil {
		return nil, fmt.Errorf("making the table of rsyslog: %w", err)
	}
	dir := filepath.Join(p.data, "rsyslog")
	path := filepath.Join(dir, "rsyslog.conf")
	config := fmt.Sprintf(rsyslogConfig, dir, p.dsn, ports[0])
	if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(path, []byte(config), 0o600)); err != nil {
		return nil, fmt.Errorf("preparing rsyslog: %w", err)
	}
	r := &rsyslog{out: &output{}, addr: "127.0.0.1:" + ports[0], pool: p.pool, load: newLoad(rsyslogLines, "rsyslog").lines}
	r.cmd = exec.Command(program, "-n", "-f", path, "-i", filepath.Join(dir, "pid"))
	r.cmd.Stdout, r.cmd.Stderr = r.out, r.out
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting rsyslog: %w", err)
	}
	return r, nil
}

// round sends the lines and returns how many a second became rows.
func (r *rsyslog) round(ctx context.Context) (float64, error) {
	if _, err := r.pool.Exec(ctx, "TRUNCATE rsyslog_lines"); err != nil {
		return 0, fmt.Errorf("emptying the table of rsyslog: %w", err)
	}
	conn, err := r.dial(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	began := time.Now()
	if _, err := conn.Write(r.load); err != nil {
		return 0, fmt.Errorf("writing to rsyslog: %w", err)
	}
	for rows := 0; rows < rsyslogLines; {
		if err := r.pool.QueryRow(ctx, "SELECT count(*) FROM rsyslog_lines").Scan(&rows); err != nil {
			return 0, fmt.Errorf("counting the rows of rsyslog: %w", err)
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("rsyslog stored %d of %d lines: %w\n%s", rows, rsyslogLines, ctx.Err(), r.out)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return rsyslogLines / time.Since(began).Seconds(), nil
}

// dial waits until rsyslog listens.
func (r *rsyslog) dial(ctx context.Context) (net.Conn, error) {
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.addr)
		if err == nil {
			return conn, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("rsyslog does not listen: %w\n%s", err, strings.TrimSpace(r.out.String()))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (r *rsyslog) stop() error {
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stopping rsyslog: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.cmd.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(10 * time.Second):
		return errors.Join(errors.New("rsyslog does not end"), r.cmd.Process.Kill(), <-ended)
	}
}
