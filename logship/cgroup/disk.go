package cgroup

import (
	"fmt"
	"path/filepath"
	"strconv"
	"syscall"
)

// Written returns the bytes used on the file systems mounted at the paths
// inside the container of process pid, each counted once. A path on the root
// file system has no size of its own: the result is then Unknown.
func Written(proc string, pid int, paths []string) (int64, error) {
	root := filepath.Join(proc, strconv.Itoa(pid), "root")
	var base syscall.Stat_t
	if err := syscall.Stat(root+"/", &base); err != nil {
		return Unknown, fmt.Errorf("looking into process %d: %w", pid, err)
	}
	seen := map[uint64]bool{base.Dev: true}
	used := int64(Unknown)
	for _, path := range paths {
		full := root + filepath.Clean("/"+path)
		var at syscall.Stat_t
		if err := syscall.Stat(full, &at); err != nil {
			return Unknown, fmt.Errorf("looking at %s of process %d: %w", path, pid, err)
		}
		if seen[at.Dev] {
			continue
		}
		seen[at.Dev] = true
		var fs syscall.Statfs_t
		if err := syscall.Statfs(full, &fs); err != nil {
			return Unknown, fmt.Errorf("measuring %s of process %d: %w", path, pid, err)
		}
		used = max(used, 0) + int64(fs.Blocks-fs.Bfree)*fs.Bsize
	}
	return used, nil
}
