package deploy

import (
	"context"
	"time"
)

// Look judges the watched releases as Run does every few seconds, at a moment
// of a test's choice.
func (d *Deployer) Look(ctx context.Context, now time.Time) { d.look(ctx, now) }
