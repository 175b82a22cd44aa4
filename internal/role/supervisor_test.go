package role

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary serve as the supervised role.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		serve()
		return
	}
	os.Exit(m.Run())
}

// serve answers each request with its process id until SIGTERM.
func serve() {
	ln, err := Listener(0, "")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go func() { <-stop; fmt.Println("stopped cleanly"); os.Exit(0) }()
	_ = http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getpid()) }))
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestSupervisor(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	out := &lockedBuffer{}
	s := &Supervisor{Program: program, Env: os.Environ(), Output: out, StopAfter: 5 * time.Second,
		BackoffMin: 50 * time.Millisecond, BackoffMax: time.Second, Log: slog.New(slog.DiscardHandler)}
	g := s.NewGroup()
	g.Start(Spec{Name: "serve", Args: []string{"serve"}, Listen: []*os.File{file}})
	ask := func() int {
		t.Helper()
		client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		res, err := client.Get("http://" + ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		pid, _ := strconv.Atoi(string(text))
		return pid
	}
	first := ask()
	t.Run("a killed role comes back and its port never refuses", func(t *testing.T) {
		if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if second := ask(); second == 0 || second == first {
			t.Errorf("process %d after %d", second, first)
		}
	})
	t.Run("it is told to stop and no process outlives it", func(t *testing.T) {
		pid := ask()
		g.Stop()
		if !strings.Contains(out.String(), "stopped cleanly") {
			t.Errorf("output: %s", out)
		}
		if err := syscall.Kill(pid, 0); err == nil {
			t.Errorf("process %d still runs", pid)
		}
	})
	t.Run("one that nobody waits for stands back, with all of its threads", func(t *testing.T) {
		back := s.NewGroup()
		back.Start(Spec{Name: "serve", Args: []string{"serve"}, Listen: []*os.File{file}, Nice: 7})
		defer back.Stop()
		pid := ask()
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/stat", pid, task.Name()))
			if err != nil {
				t.Fatal(err)
			}
			_, fields, _ := strings.Cut(string(stat), ") ")
			if nice := strings.Fields(fields)[16]; nice != "7" { // field 19 of proc(5)
				t.Errorf("thread %s has niceness %s", task.Name(), nice)
			}
		}
	})
}
