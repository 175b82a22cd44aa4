// Package faults drives numbered records through the real roles, does to them
// what machines and people do to programs, and then looks into Postgres, the
// archives, the rollups, the mails and the live view for the whole sequence:
// each number once, in the order in which its sender sent it.
//
// The short form is part of `make test`. `make faults` runs the long one:
//
//	go test ./internal/faults -args -long -kills 120 -seed 7
package faults

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

var (
	kills = flag.Int("kills", 12, "how often something is killed at a random moment")
	cuts  = flag.Int("cuts", 2, "how often the power is cut")
	long  = flag.Bool("long", false, "absences of minutes instead of seconds")
	seed  = flag.Uint64("seed", 0, "of all that is random; 0: another one each time")
)

// The programs under test, built once by TestMain.
var kurama, talker string

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	flag.Parse()
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano() % 1_000_000)
	}
	fmt.Printf("faults: the seed is %d (again with: go test ./internal/faults -args -seed %d)\n", *seed, *seed)
	atOnce := "8" // in the short form the tests mostly wait
	if *long {
		atOnce = "2"
	}
	_ = flag.Set("test.parallel", atOnce) // the flag is there in every test
	dir, err := os.MkdirTemp("", "kurama-faults-bin-")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	kurama, talker = filepath.Join(dir, "kurama"), filepath.Join(dir, "talker")
	for path, pkg := range map[string]string{kurama: "kurama/cmd/kurama", talker: "./testdata/talker"} {
		build := exec.Command("go", "build", "-o", path, pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Printf("building %s: %v\n%s", pkg, err, out)
			return 1
		}
	}
	return m.Run()
}

// random returns the numbers of one test, which depend on the seed alone.
func random(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(*seed, stream)) }

// spell chooses between the short form and the long one.
func spell(short, full time.Duration) time.Duration {
	if *long {
		return full
	}
	return short
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually polls until check returns nil, or fails with its last error.
func eventually(t testing.TB, limit time.Duration, check func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); pause(t, 50*time.Millisecond) {
		if err = check(); err == nil {
			return
		}
	}
	t.Fatalf("not within %s: %v", limit, err)
}

// pause lets the load run for d; it ends early with the test.
func pause(t testing.TB, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-t.Context().Done():
	case <-timer.C:
	}
}
