package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// fileMemory returns the line of /proc/self/status with the pages of files that
// this process holds, kB.
func fileMemory(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	kb := 0
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "RssFile:"); ok {
			for _, digit := range strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")) {
				kb = 10*kb + int(digit-'0')
			}
		}
	}
	return kb
}

func TestWhatOnlyTheStartNeededIsLetGo(t *testing.T) {
	before := fileMemory(t)
	if got := slim(); got < 1<<20 {
		t.Fatalf("%d bytes of the program were let go", got)
	}
	if after := fileMemory(t); after >= before {
		t.Errorf("the program takes %d kB, and took %d before", after, before)
	}
}

func TestPartsOfTheProgramThatWereChangedStay(t *testing.T) {
	const smaps = `00400000-01200000 r-xp 00000000 fe:00 7                  /opt/kurama
Size:              14336 kB
Anonymous:             0 kB
01200000-01300000 r--p 00e00000 fe:00 7                  /opt/kurama
Anonymous:             8 kB
01300000-01400000 rw-p 00f00000 fe:00 7                  /opt/kurama
Anonymous:             0 kB
01400000-02000000 r--p 01000000 fe:00 7                  /opt/kurama
Anonymous:             0 kB
7f0000000000-7f0000100000 r-xp 00000000 fe:00 9          /lib/libc.so.6
Anonymous:             0 kB
c000000000-c000600000 rw-p 00000000 00:00 0
Anonymous:           512 kB
`
	got, want := unchanged(strings.NewReader(smaps), "/opt/kurama"), []span{{0x400000, 0x1200000}, {0x1400000, 0x2000000}}
	if !slices.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}
