package faults

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kurama/logship/record"
)

// acked sends numbered records over one connection for as long as that lasts,
// and knows which of them the agent has acknowledged.
type acked struct {
	in        *installation
	app, name string
	conn      net.Conn
	done      sync.WaitGroup
	safe      atomic.Int64 // the first records that are acknowledged
	sent      atomic.Int64
}

// sendAcked starts one on the platform's socket.
func (in *installation) sendAcked(app, series string, perSecond int) *acked {
	in.t.Helper()
	conn, err := net.Dial("unix", in.folders.Socket("agent.sock"))
	must(in.t, err)
	a := &acked{in: in, app: app, name: series, conn: conn}
	a.done.Go(func() { a.write(perSecond) })
	a.done.Go(a.read)
	in.t.Cleanup(a.end)
	return a
}

func (a *acked) write(perSecond int) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	began, lines := time.Now(), []byte(nil)
	for n := 0; ; {
		lines = lines[:0]
		for due := int(time.Since(began).Seconds() * float64(perSecond)); n < due; n++ {
			r := logRecord(a.app, a.app+"-1-aaaaaa", numbered(a.name, n))
			r.Time = time.Now()
			r.ID = record.NewID(r.Time)
			lines = record.Append(lines, r)
		}
		if _, err := a.conn.Write(lines); err != nil {
			return
		}
		a.sent.Store(int64(n))
		<-tick.C
	}
}

func (a *acked) read() {
	lines := bufio.NewScanner(a.conn)
	for lines.Scan() {
		if n, err := strconv.Atoi(strings.TrimPrefix(lines.Text(), "ack ")); err == nil {
			a.safe.Store(int64(n))
		}
	}
}

func (a *acked) end() {
	_ = a.conn.Close()
	a.done.Wait()
}

// checkPrefix tells what is wrong with the numbers that a sink holds of a
// series of which the first safe ones were acknowledged: whatever it has must
// be 0…m-1 in order, with m not below safe.
func checkPrefix(got numbers, safe int) error {
	for i, n := range got {
		if n != i {
			return fmt.Errorf("number %d is in place %d of %d", n, i, len(got))
		}
	}
	if len(got) < safe {
		return fmt.Errorf("%d records are there, %d were acknowledged", len(got), safe)
	}
	return nil
}
