// The printer is what the tests' container runs: it does what its arguments
// say, one after the other.
package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	for _, arg := range os.Args[1:] {
		verb, value, _ := strings.Cut(arg, ":")
		switch verb {
		case "out":
			fmt.Println(value)
		case "err":
			fmt.Fprintln(os.Stderr, value)
		case "count":
			n, _ := strconv.Atoi(value)
			for i := range n {
				fmt.Println("line", i)
			}
		case "send":
			send(value)
		case "wait":
			stop := make(chan os.Signal, 1)
			signal.Notify(stop, syscall.SIGTERM)
			<-stop
		}
	}
}

// send writes a line to the agent's socket and waits for its acknowledgement.
func send(line string) {
	for range 100 {
		conn, err := net.Dial("unix", "/run/kurama/log.sock")
		if err != nil {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		fmt.Fprintln(conn, line)
		var ack [16]byte
		_, _ = conn.Read(ack[:])
		return
	}
	fmt.Println("no socket")
}
