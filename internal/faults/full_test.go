package faults

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// volumes are the folders of DATA that get a small file system of their own.
var volumes = map[string]string{"spool": "16m", "stream": "64m", "archive": "32m", "postgres": "320m"}

// TestFullDisksLoseNothing fills the disk of each part under load and frees it
// again.
func TestFullDisksLoseNothing(t *testing.T) {
	t.Parallel()
	in := install(t, func(data string) {
		for name, size := range volumes {
			mountSmall(t, filepath.Join(data, name), size)
		}
	})
	in.start("full")
	full := func(name string) func() {
		return func() {
			free := in.fill(t, name)
			pause(t, spell(2*time.Second, 30*time.Second))
			free()
		}
	}
	for _, name := range []string{"archive", "postgres", "stream"} {
		t.Run("of the "+name, func(t *testing.T) { in.under(t, "full", 400, full(name)) })
	}
	t.Run("of the spool while the stream is away", func(t *testing.T) {
		in.under(t, "full", 400, func() {
			in.roles["stream"].hold()
			free := in.fill(t, "spool")
			pause(t, spell(2*time.Second, 20*time.Second))
			in.roles["stream"].release()
			pause(t, spell(time.Second, 5*time.Second))
			free()
		})
	})
	t.Run("of the spool after the stream was away", func(t *testing.T) {
		in.use(t)
		// The agent does not know whether the last batch arrived, and cannot spool it: it must ask.
		s := in.logs("full", "nospool", 400)
		free := in.fill(t, "spool")
		defer free()
		in.freeze("stream", 4*time.Second)
		in.verify(s.stop())
	})
	t.Run("a permission lost", func(t *testing.T) {
		for _, name := range []string{"archive", "spool"} {
			in.under(t, "full", 400, func() {
				give := in.forbid(t, name)
				pause(t, spell(1500*time.Millisecond, 20*time.Second))
				give()
			})
		}
	})
}

func mountSmall(t testing.TB, dir, size string) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o755))
	must(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size+",mode=755"))
	t.Cleanup(func() { must(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
}

// fill takes all that is left of a volume, as another program would, until the
// returned function gives it back.
func (in *installation) fill(t *testing.T, name string) (free func()) {
	t.Helper()
	path := filepath.Join(in.folders.Sub(name), "ballast")
	f, err := os.Create(path)
	must(t, err)
	block := make([]byte, 64<<10)
	for err == nil {
		if _, err = f.Write(block); err != nil && len(block) > 512 {
			block, err = block[:len(block)/2], nil
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	must(t, f.Close())
	return func() { must(t, os.Remove(path)) }
}

// forbid makes a folder unchangeable, for root too, until the returned
// function lifts it.
func (in *installation) forbid(t *testing.T, name string) (give func()) {
	t.Helper()
	dir := in.folders.Sub(name)
	run(t, "chattr", "+i", dir)
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o600); err == nil {
		t.Fatal(fmt.Errorf("%s can still be changed", dir))
	}
	return func() { run(t, "chattr", "-i", dir) }
}
