package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/shirou/gopsutil/v3/disk"
)

// MinFree is the free disk space in bytes below which Kurama does not start:
// a deploy and the stream's files need room.
const MinFree = 1 << 30

// CheckDisk returns a sentence where the disk of dir, or of the nearest folder
// above it that exists, has less than MinFree.
func CheckDisk(dir string) error {
	place := dir
	for {
		if _, err := os.Stat(place); !errors.Is(err, os.ErrNotExist) {
			break
		}
		place = filepath.Dir(place)
	}
	use, err := disk.Usage(place)
	if err != nil {
		return fmt.Errorf("the disk of %s cannot be read: %w", dir, err)
	}
	if use.Free < MinFree {
		return fmt.Errorf("the disk of %s has %d MiB free; Kurama needs %d MiB", dir, use.Free>>20, MinFree>>20)
	}
	return nil
}
