package e2e

import (
	"bufio"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// mailServer is a real, if small, SMTP server (RFC 5321) that keeps what it accepts.
type mailServer struct {
	port string
	mu   sync.Mutex
	mail []string // envelope and message, as sent
}

func startMailServer(t *testing.T) *mailServer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	_, port, err := net.SplitHostPort(ln.Addr().String())
	must(t, err)
	s := &mailServer{port: port}
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			wait.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = ln.Close(); wait.Wait() })
	return s
}

func (s *mailServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	in := bufio.NewScanner(conn)
	say := func(line string) { fmt.Fprintf(conn, "%s\r\n", line) }
	say("220 test")
	var envelope strings.Builder
	for in.Scan() {
		line := in.Text()
		envelope.WriteString(line + "\n")
		switch word, _, _ := strings.Cut(strings.ToUpper(line), " "); word {
		case "DATA":
			say("354 go on")
			for in.Scan() && in.Text() != "." {
				envelope.WriteString(in.Text() + "\n")
			}
			s.mu.Lock()
			s.mail = append(s.mail, envelope.String())
			s.mu.Unlock()
			envelope.Reset()
			say("250 kept")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// wait returns the first message that matches pattern.
func (s *mailServer) wait(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	var found string
	eventually(t, 30*time.Second, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, m := range s.mail {
			if re.MatchString(m) {
				found = m
				return nil
			}
		}
		return fmt.Errorf("no mail matches %s among %d", pattern, len(s.mail))
	})
	return found
}
