package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// slimAfter is when a process has long been started. Then it lets go what only
// its start needed.
const slimAfter = 5 * time.Second

// slimLater does so once, unless ctx ends before.
func slimLater(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(slimAfter):
		debug.FreeOSMemory()
		slim()
	}
}

// slim takes the pages of the program itself out of this process's memory: its
// start has touched far more of them than its work does. Those that are needed
// come back, as they are, from the page cache, which holds them once for all
// roles. It returns the size of what was let go.
func slim() (bytes uint64) {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return 0
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return 0
	}
	defer maps.Close()
	for _, part := range unchanged(maps, self) {
		if _, _, failed := syscall.Syscall(syscall.SYS_MADVISE, uintptr(part.from), uintptr(part.to-part.from), syscall.MADV_DONTNEED); failed == 0 {
			bytes += part.to - part.from
		}
	}
	return bytes
}

// span is a range of addresses.
type span struct{ from, to uint64 }

// unchanged reads /proc/self/smaps (proc_pid_smaps(5)) and returns the parts of
// the program at path that cannot be written to and never were: a loader may
// have written to one before it was closed, and dropping that would lose it.
func unchanged(smaps io.Reader, path string) []span {
	var found []span
	var current *span
	for lines := bufio.NewScanner(smaps); lines.Scan(); {
		f := strings.Fields(lines.Text())
		switch {
		case len(f) >= 5 && strings.Contains(f[0], "-"):
			current = nil
			if len(f) == 6 && f[5] == path && len(f[1]) == 4 && f[1][1] == '-' {
				current = parseSpan(f[0])
			}
		case current != nil && len(f) == 3 && f[0] == "Anonymous:" && f[1] == "0":
			found = append(found, *current)
		}
	}
	return found
}

// parseSpan reads two hexadecimal addresses with a dash between; nil where
// they are none.
func parseSpan(text string) *span {
	from, to, _ := strings.Cut(text, "-")
	begin, err := strconv.ParseUint(from, 16, 64)
	end, err2 := strconv.ParseUint(to, 16, 64)
	if err != nil || err2 != nil || end <= begin {
		return nil
	}
	return &span{begin, end}
}
