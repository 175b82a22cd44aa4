package faults

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestTheDiskLosesWhatWasNotFlushed is about the tool of the power cuts: a
// disk that loses nothing would show nothing.
func TestTheDiskLosesWhatWasNotFlushed(t *testing.T) {
	d := newDisk(t, anonymous(t, 256<<20))
	run(t, "mkfs.ext4", "-q", "-E", "lazy_itable_init=1,nodiscard", d.loop)
	dir := t.TempDir()
	run(t, "mount", d.loop, dir)
	want := bytes.Repeat([]byte("safe"), 50_000)
	f, err := os.Create(filepath.Join(dir, "flushed"))
	must(t, err)
	_, err = f.Write(want)
	must(t, errors.Join(err, f.Sync(), f.Close()))
	must(t, os.WriteFile(filepath.Join(dir, "written"), want, 0o600))
	image, _, _ := d.cut(random(9))
	run(t, "umount", dir)
	d.remove()

	after := newDisk(t, image)
	run(t, "mount", after.loop, dir)
	t.Cleanup(func() {
		run(t, "umount", dir)
		after.remove()
	})
	if got, err := os.ReadFile(filepath.Join(dir, "flushed")); err != nil || !bytes.Equal(got, want) {
		t.Errorf("of what was flushed %d bytes are there: %v", len(got), err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "written")); err == nil && len(got) > 0 {
		t.Errorf("of what was only written %d bytes are there", len(got))
	}
}
