package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// peerCommand makes this program one of the processes that Kurama is measured
// against or with: bench peer backend|proxy|writer|replica|delays.
const peerCommand = "peer"

// servePeer serves until the process is killed.
func servePeer(kind string, args []string) int {
	address := "127.0.0.1:0"
	if kind == "replica" && len(args) == 3 {
		address = args[2]
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench peer:", err)
		return 1
	}
	fmt.Println(ln.Addr())
	switch kind {
	case "backend":
		err = http.Serve(ln, http.HandlerFunc(backend))
	case "proxy":
		err = serveProxy(ln, args)
	case "writer":
		err = serveWriter(ln, args)
	case "delays":
		err = http.Serve(ln, delayed())
	case "replica":
		err = serveReplica(ln, args)
	default:
		err = fmt.Errorf("there is no peer %q", kind)
	}
	fmt.Fprintln(os.Stderr, "bench peer:", err)
	return 1
}

var page = []byte(strings.Repeat("x", 199) + "\n")

// backend answers 200 bytes.
func backend(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write(page) // a client that has gone is wrk at its end
}

// serveProxy is a bare ReverseProxy with a transport that keeps its connections.
func serveProxy(ln net.Listener, args []string) error {
	if len(args) != 1 {
		return errors.New("the proxy needs the address behind it")
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: args[0]})
	proxy.Transport = &http.Transport{MaxIdleConns: 1024, MaxIdleConnsPerHost: 1024, DisableCompression: true}
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	return http.Serve(ln, proxy)
}

// serveWriter writes a block of fixed size to every connection at an interval:
// the least that a fan-out can cost.
func serveWriter(ln net.Listener, args []string) error {
	if len(args) != 3 {
		return errors.New("the writer needs connections, bytes and milliseconds")
	}
	var numbers [3]int
	for i := range args {
		var err error
		if numbers[i], err = strconv.Atoi(args[i]); err != nil {
			return fmt.Errorf("%q is no number: %w", args[i], err)
		}
	}
	var conns []net.Conn
	for range numbers[0] {
		conn, err := ln.Accept()
		if err != nil {
			return fmt.Errorf("waiting for the viewers: %w", err)
		}
		conns = append(conns, conn)
	}
	block := make([]byte, numbers[1])
	for range time.Tick(time.Duration(numbers[2]) * time.Millisecond) {
		for _, conn := range conns {
			if _, err := conn.Write(block); err != nil {
				return fmt.Errorf("writing to a viewer: %w", err)
			}
		}
	}
	return nil
}

// peer is a running process of this program.
type peer struct {
	cmd     *exec.Cmd
	address string
}

// startPeer runs `bench peer kind args…` and waits for its address.
func startPeer(ctx context.Context, kind string, args ...string) (*peer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program's own file: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, append([]string{peerCommand, kind}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the %s: %w", kind, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the %s: %w", kind, err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the %s does not tell its address: %w", kind, err), cmd.Process.Kill(), cmd.Wait())
	}
	return &peer{cmd: cmd, address: strings.TrimSpace(line)}, nil
}

// stop kills the process and waits for its end.
func (p *peer) stop() {
	_ = p.cmd.Process.Kill() // it may have ended with its context
	_ = p.cmd.Wait()         // "killed" is what was asked for
}
