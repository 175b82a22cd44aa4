package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"kurama/logship/record"
	"kurama/paas"
)

// loadApps is how many apps the records are of.
const loadApps = 20

// load is a run of records as the lines that a client writes to the agent.
type load struct {
	lines   []byte
	records int
	last    string    // app of the last record and of no other: once it is a row, all are
	began   time.Time // no record is older
}

// newLoad makes n records, requests and log lines in turn, each of about 230
// bytes as a row. mark makes the app of the last one its own.
func newLoad(n int, mark string) *load {
	l := &load{records: n, last: "last-" + mark, lines: make([]byte, 0, n*480)}
	now := time.Now()
	l.began = now.Truncate(time.Microsecond)
	for i := range n {
		r := loadRecord(i, now.Add(time.Duration(i)*time.Microsecond))
		if i == n-1 {
			r.App = l.last
		}
		l.lines = record.Append(l.lines, &r)
	}
	return l
}

func loadRecord(i int, at time.Time) record.Record {
	app := "load-" + strconv.Itoa(i%loadApps)
	r := record.Record{Time: at, ID: record.NewID(at), Kind: record.KindLog, Level: record.LevelInfo, Tenant: paas.DefaultTenant,
		App: app, Release: 3, Replica: app + "-3-abcdef", Method: "GET", URL: "/order/" + strconv.Itoa(i) + "?tab=items", Route: "/order/<id>",
		CPU: record.Num(float64(i%1000) / 10), Disk: record.Num(1.25), Swap: record.Num(0), Mem: record.Num(40.5),
		Req: fmt.Sprintf("0192f0c5-2a6b-7c3d-8e4f-%012x", i/2),
		Msg: fmt.Sprintf("order %d of user-%d@example.com was paid by card after 2 attempts, 3 items", i, i%9999)}
	if i%2 == 1 {
		return r
	}
	ms := float64(10+i*7919%1990) / 10
	r.Kind, r.Status, r.Dur, r.Queue, r.CPUMs = record.KindRequest, 200, record.Num(ms), record.Num(0.2), record.Num(ms/4)
	r.Msg = fmt.Sprintf("GET %s 200 %.1f ms", r.URL, ms)
	return r
}

// send writes the lines to the agent's socket as fast as it takes them and
// returns when all are acknowledged.
func (l *load) send(ctx context.Context, socket string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return fmt.Errorf("connecting to the agent: %w", err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	acknowledged := make(chan error, 1)
	go func() { acknowledged <- awaitAck(conn, l.records) }()
	_, err = conn.Write(l.lines)
	if err != nil {
		err = fmt.Errorf("writing to the agent: %w", err)
	}
	return errors.Join(err, <-acknowledged)
}

// awaitAck reads acknowledgements until they reach n.
func awaitAck(conn net.Conn, n int) error {
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		count, ok := strings.CutPrefix(lines.Text(), "ack ")
		got, err := strconv.Atoi(count)
		if !ok || err != nil {
			return fmt.Errorf("the agent answered %q", lines.Text())
		}
		if got == n {
			return nil
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading acknowledgements: %w", err)
	}
	return errors.New("the agent closed the connection")
}
