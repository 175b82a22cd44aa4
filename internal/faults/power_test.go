package faults

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// diskBytes is the size of the disk on which DATA lies; only what is written
// takes memory.
const diskBytes = 1 << 30

// TestWhatWasAcknowledgedSurvivesALossOfPower keeps all of DATA, database
// included, on a disk that loses what was not flushed, cuts its power under
// load, and starts everything on what is left.
func TestWhatWasAcknowledgedSurvivesALossOfPower(t *testing.T) {
	t.Parallel()
	dice := random(2)
	var d *disk
	in := install(t, func(data string) {
		d = newDisk(t, anonymous(t, diskBytes))
		run(t, "mkfs.ext4", "-q", "-E", "lazy_itable_init=1,nodiscard", d.loop)
		run(t, "mount", d.loop, data)
	})
	t.Cleanup(func() {
		run(t, "umount", in.folders.Data)
		d.remove()
	})
	run(t, "sync", "--file-system", in.folders.Data) // the empty folders are older than the first record
	in.start()
	for n := range *cuts {
		app := fmt.Sprintf("power%d", n)
		senders := []*acked{in.sendAcked(app, "a", 500), in.sendAcked(app, "b", 100), in.sendAcked(app, "c", 900)}
		pause(t, time.Duration(200+dice.IntN(1500))*time.Millisecond)
		if n%2 == 1 { // with the last records in the spool
			in.roles["stream"].hold()
			pause(t, time.Duration(100+dice.IntN(500))*time.Millisecond)
		}
		safe := map[string]int{}
		for _, s := range senders {
			safe[s.name] = int(s.safe.Load())
		}
		image, lost, cached := d.cut(dice)
		d = in.loseEverything(d, image)
		for _, s := range senders {
			s.end()
		}
		t.Logf("cut %d: of %d writes in the disk's cache %d are lost; acknowledged were %v", n, cached, lost, safe)
		in.survived(app, safe)
	}
}

// loseEverything ends every process and starts again on a disk with the given
// content.
func (in *installation) loseEverything(d *disk, image []byte) *disk {
	in.t.Helper()
	in.db.cancel()
	if pid, err := in.db.postmaster(); err == nil {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for _, name := range chain {
		in.roles[name].stop(syscall.SIGKILL)
	}
	in.db.stop()
	in.pool.Reset()
	eventually(in.t, arrival, func() error { return syscall.Unmount(in.folders.Data, 0) })
	d.remove()
	d = newDisk(in.t, image)
	run(in.t, "mount", d.loop, in.folders.Data)
	in.startDatabase()
	in.startRoles()
	return d
}

// survived checks that Postgres and the archive hold the same records of app:
// all that were acknowledged, and of the others only such as came next.
func (in *installation) survived(app string, safe map[string]int) {
	in.t.Helper()
	for name, n := range safe {
		in.awaitStored(app, name, n)
	}
	in.awaitIdle()
	for name, n := range safe {
		stored, err := in.stored(app, name)
		must(in.t, err)
		if err := checkPrefix(stored, n); err != nil {
			in.t.Errorf("Postgres, series %s of %s: %v", name, app, err)
		}
		if err := in.archived(app, name, len(stored)).check(series{app: app, name: name, n: len(stored)}); err != nil {
			in.t.Errorf("archive: %v; Postgres has %d", err, len(stored))
		}
	}
}

// awaitIdle waits until the spool is empty and persist has stored what is on
// the stream.
func (in *installation) awaitIdle() {
	in.t.Helper()
	eventually(in.t, arrival, func() error {
		spooled, err := filepath.Glob(in.folders.Sub("spool/*.ndjson"))
		if err != nil || len(spooled) > 0 {
			return fmt.Errorf("%d batches are in the spool: %w", len(spooled), err)
		}
		lag, err := in.metric("persist", "kurama_persist_lag")
		if err == nil && lag > 0 {
			err = fmt.Errorf("persist is %v batches behind", lag)
		}
		return err
	})
}
