package build

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// folderSize adds up what files take on disk; those that vanish meanwhile
// count nothing.
func folderSize(folder string) int64 {
	var size int64
	_ = filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			size += info.Size()
		}
		return nil
	})
	return size
}

// KeepLayers removes the layers that are in no release that is kept. One that
// was used within the last hour stays, because its release may not be stored
// yet.
func (b *Builder) KeepLayers(used map[string]bool) error {
	spare, err := b.spareLayers(used)
	errs := []error{err}
	for _, folder := range spare {
		errs = append(errs, os.RemoveAll(folder))
	}
	return errors.Join(append(errs, b.dropUnusedWheels())...)
}

// SpareLayers returns the size of what KeepLayers would remove.
func (b *Builder) SpareLayers(used map[string]bool) (bytes int64, err error) {
	spare, err := b.spareLayers(used)
	for _, folder := range spare {
		bytes += folderSize(folder)
	}
	return bytes, err
}

func (b *Builder) spareLayers(used map[string]bool) (folders []string, err error) {
	entries, err := os.ReadDir(b.layersFolder())
	if err != nil {
		return nil, fmt.Errorf("layers: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || used[e.Name()] || strings.HasSuffix(e.Name(), unfinished) || time.Since(info.ModTime()) < time.Hour {
			continue
		}
		folders = append(folders, b.LayerFolder(e.Name()))
	}
	return folders, nil
}
