package runtime

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"kurama/paas"
)

// samplingFile is where a replica's workers look for an order while they have
// requests: beside the agent's socket, in the folder that is mounted read-only.
const samplingFile = "profile.json"

// Sample lays an order to sample before the workers of a replica.
func (e *Engine) Sample(replica string, s paas.Sampling) error {
	order, err := json.Marshal(map[string]float64{"until": float64(s.Until.UnixMilli()) / 1000, "hz": s.Hz})
	if err != nil {
		return fmt.Errorf("sampling replica %s: %w", replica, err)
	}
	path := filepath.Join(e.socketFolder(replica), samplingFile)
	if err := os.WriteFile(path+".new", order, 0o644); err != nil {
		return fmt.Errorf("sampling replica %s: %w", replica, err)
	}
	// The umask may have narrowed it, and the app's own user reads it.
	if err := os.Chmod(path+".new", 0o644); err != nil {
		return fmt.Errorf("sampling replica %s: %w", replica, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("sampling replica %s: %w", replica, err)
	}
	return nil
}
