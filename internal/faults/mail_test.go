package faults

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// mailServer is a real, if small, SMTP server (RFC 5321) that counts how often
// it has accepted each message.
type mailServer struct {
	port string

	mu       sync.Mutex
	accepted map[string]int // by Message-ID
}

func startMailServer(t testing.TB) *mailServer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	_, port, err := net.SplitHostPort(ln.Addr().String())
	must(t, err)
	s := &mailServer{port: port, accepted: map[string]int{}}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			open.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = ln.Close(); open.Wait() })
	return s
}

func (s *mailServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	in := bufio.NewScanner(conn)
	say := func(line string) { fmt.Fprintf(conn, "%s\r\n", line) }
	say("220 test")
	for in.Scan() {
		switch word, _, _ := strings.Cut(strings.ToUpper(in.Text()), " "); word {
		case "DATA":
			say("354 go on")
			id := ""
			for in.Scan() && in.Text() != "." {
				if value, ok := strings.CutPrefix(in.Text(), "Message-ID: "); ok && id == "" {
					id = strings.TrimSpace(value)
				}
			}
			s.mu.Lock()
			s.accepted[id]++
			s.mu.Unlock()
			say("250 kept")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// counts returns how many messages were accepted, and how many of them again.
func (s *mailServer) counts() (messages, again int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.accepted {
		again += n - 1
	}
	return len(s.accepted), again
}
