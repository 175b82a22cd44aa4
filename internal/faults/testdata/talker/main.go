// The talker is what the containers of the fault tests run: it writes numbered
// lines to stdout and stderr, and sends numbered records over its socket, until
// SIGTERM; then it says how many of each there were.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"kurama/logship/record"
	"kurama/logship/wire"
)

var filler = strings.Repeat("lorem ipsum dolor ", 6)

func main() {
	rate := flag.Int("rate", 0, "numbered lines and records a second, of each kind")
	burst := flag.Int("burst", 0, "numbered lines written as fast as possible, first")
	file := flag.String("print", "", "file that is written to stdout, first")
	wait := flag.Bool("wait", false, "do nothing")
	flag.Parse()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	if *wait {
		<-stop
		return
	}
	out := newPrinter()
	out.copy(*file)
	for n := range *burst {
		out.line("burst", n)
	}
	out.flush()
	if *rate > 0 {
		talk(*rate, stop)
	} else {
		<-stop
	}
	if *burst > 0 {
		fmt.Printf("sent burst=%d\n", *burst)
	}
}

// talk writes and sends at the rate until stop.
func talk(rate int, stop <-chan os.Signal) {
	client := wire.New("/run/kurama/log.sock", wire.Options{Buffer: 200_000})
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = client.Run(ctx) // it runs until cancelled
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	began, n := time.Now(), 0
	for running := true; running; {
		for due := int(time.Since(began).Seconds() * float64(rate)); n < due; n++ {
			fmt.Printf("out:%d %s\n", n, filler)
			fmt.Fprintf(os.Stderr, "err:%d %s\n", n, filler)
			client.Send(&record.Record{Kind: record.KindLog, Msg: fmt.Sprintf("sock:%d %s", n, filler)})
		}
		select {
		case <-tick.C:
		case <-stop:
			running = false
		}
	}
	bounded, done := context.WithTimeout(ctx, 50*time.Second)
	defer done()
	if err := client.Flush(bounded); err != nil {
		fmt.Println(err)
	}
	cancel()
	<-gone
	for _, name := range []string{"out", "err", "sock"} {
		fmt.Printf("sent %s=%d\n", name, n)
	}
}
