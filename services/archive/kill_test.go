package archive

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/services/sink"
	"kurama/services/sink/sinktest"
)

// The environment of a process that is the role and nothing else.
const (
	envStream = "KURAMA_TEST_ARCHIVE_STREAM"
	envDir    = "KURAMA_TEST_ARCHIVE_DIR"
	envSocket = "KURAMA_TEST_ARCHIVE_SOCKET"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(envStream); url != "" {
		if err := runRole(url, os.Getenv(envDir), os.Getenv(envSocket)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func runRole(url, dir, socket string) error {
	ctx := context.Background()
	client, err := sinktest.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer client.Close()
	cfg := config.Default().Archive
	cfg.SealRecords = 20
	role, err := New(cfg, dir, socket, sink.Deps{Stream: client, Log: sinktest.Log()})
	if err != nil {
		return err
	}
	return role.Run(ctx)
}

func TestKillsAtAnyMomentLoseAndDoubleNothing(t *testing.T) {
	b := setup(t)
	url := sinktest.Server(t)
	b.stream = sinktest.Client(t, url)
	var want []byte
	for range 12 {
		role := exec.Command(os.Args[0])
		role.Env = append(os.Environ(), envStream+"="+url, envDir+"="+b.dir, envSocket+"="+b.socket)
		role.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := role.Start(); err != nil {
			t.Fatal(err)
		}
		end := time.Now().Add(time.Duration(50+rand.IntN(250)) * time.Millisecond)
		for time.Now().Before(end) {
			want = append(want, b.publish(t, 15)...)
		}
		if err := role.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = role.Wait() // it was killed: that is its only result
	}
	b.start(t)
	sinktest.Eventually(t, "the archive holds what was sent", func() bool {
		return len(b.download(t, Request{Tenant: "acme", App: "shop"})) >= len(want)
	})
	if got := b.download(t, Request{Tenant: "acme", App: "shop"}); !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
	if err := b.verify(t, "acme", "shop"); err != nil {
		t.Error(err)
	}
	b.checkFolder(t, "acme", "shop")
}
