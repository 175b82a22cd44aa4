package runtime

import (
	"context"
	"sync"

	"kurama/paas"
)

// walls are those of one tenant.
type walls struct {
	tenant string
	mu     sync.Mutex
	wall   paas.Wall
}

func (w *walls) set(wall paas.Wall) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wall = wall
}

func (w *walls) Walls(context.Context) (map[string]paas.Wall, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return map[string]paas.Wall{w.tenant: w.wall}, nil
}
