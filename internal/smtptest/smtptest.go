// Package smtptest is a real, if small, SMTP server (RFC 5321) for tests.
package smtptest

import (
	"io"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Mail is one message as it came.
type Mail struct {
	Envelope string // the commands before DATA, a line each
	To       string // the last recipient
	Message  string // headers and body, lines ended by \n
}

// Server keeps what it accepts.
type Server struct {
	Addr *net.TCPAddr

	mu     sync.Mutex
	mail   []Mail
	refuse []string
}

// Start serves on addr ("127.0.0.1:0" takes a free port) until the test ends.
func Start(t testing.TB, addr string) *Server {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: ln.Addr().(*net.TCPAddr)}
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

// Refuse sets the answers to the next recipients; "" takes one.
func (s *Server) Refuse(answers ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = answers
}

// All returns what was accepted so far, oldest first.
func (s *Server) All() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mail)
}

func (s *Server) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	c := textproto.NewConn(conn)
	_ = c.PrintfLine("220 test")
	var m Mail
	for {
		line, err := c.ReadLine()
		if err != nil {
			return
		}
		m.Envelope += line + "\n"
		answer := "250 ok"
		switch verb, _, _ := strings.Cut(strings.ToUpper(line), " "); verb {
		case "RCPT":
			if refused := s.answer(); refused != "" {
				answer = refused
				break
			}
			_, to, _ := strings.Cut(line, ":")
			m.To = strings.Trim(to, "<> ")
		case "DATA":
			_ = c.PrintfLine("354 go on")
			message, err := io.ReadAll(c.DotReader())
			if err != nil {
				return // cut off in the middle: not accepted
			}
			m.Message = string(message)
			s.keep(m)
			m, answer = Mail{}, "250 kept"
		case "QUIT":
			_ = c.PrintfLine("221 bye")
			return
		}
		_ = c.PrintfLine("%s", answer)
	}
}

func (s *Server) keep(m Mail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mail = append(s.mail, m)
}

func (s *Server) answer() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.refuse) == 0 {
		return ""
	}
	next := s.refuse[0]
	s.refuse = s.refuse[1:]
	return next
}
