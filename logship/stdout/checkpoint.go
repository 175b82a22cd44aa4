package stdout

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// formatVersion of the checkpoint file.
const formatVersion = 1

// Checkpoint keeps, for each container, up to when its output is durable. It
// is safe for concurrent use.
type Checkpoint struct {
	path string

	mu      sync.Mutex
	at      map[string]time.Time
	changed bool
}

// checkpointFile is the form of the file.
type checkpointFile struct {
	Version    int                  `json:"version"`
	Containers map[string]time.Time `json:"containers"`
}

// OpenCheckpoint reads the file at path. A missing one is empty; one that
// cannot be read is an error, and the checkpoint then starts empty.
func OpenCheckpoint(path string) (*Checkpoint, error) {
	c := &Checkpoint{path: path, at: map[string]time.Time{}}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	var file checkpointFile
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if err == nil && file.Version != formatVersion {
		err = fmt.Errorf("version %d is not %d", file.Version, formatVersion)
	}
	if err != nil {
		return c, fmt.Errorf("reading the checkpoint %s: %w", path, err)
	}
	if file.Containers != nil {
		c.at = file.Containers
	}
	return c, nil
}

// At returns up to when the output of the container is durable.
func (c *Checkpoint) At(container string) (at time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok = c.at[container]
	return at, ok
}

// Advance moves the container's time on; an earlier one changes nothing.
func (c *Checkpoint) Advance(container string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.After(c.at[container]) {
		c.at[container], c.changed = at, true
	}
}

// Forget drops a container that does not exist any more.
func (c *Checkpoint) Forget(container string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.at[container]; ok {
		delete(c.at, container)
		c.changed = true
	}
}

// Keep drops all containers but those for which exists is true.
func (c *Checkpoint) Keep(exists func(container string) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range c.at {
		if !exists(id) {
			delete(c.at, id)
			c.changed = true
		}
	}
}

// Save replaces the file where something changed. It is not fsynced: a time
// that is too old only means reading some lines again, which are known by
// their ids.
func (c *Checkpoint) Save() error {
	text, err := c.take()
	if text == nil || err != nil {
		return err
	}
	tmp := c.path + ".tmp"
	if err := os.WriteFile(tmp, text, 0o600); err != nil {
		return fmt.Errorf("writing the checkpoint: %w", err)
	}
	if err := os.Rename(tmp, filepath.Clean(c.path)); err != nil {
		return fmt.Errorf("replacing the checkpoint: %w", err)
	}
	return nil
}

// take returns the file's text, nil where nothing changed.
func (c *Checkpoint) take() ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.changed {
		return nil, nil
	}
	c.changed = false
	text, err := json.MarshalIndent(checkpointFile{Version: formatVersion, Containers: c.at}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the checkpoint: %w", err)
	}
	return append(text, '\n'), nil
}
