package logship

import (
	"context"

	"kurama/logship/engine"
)

// lose counts n records as lost. What of sent is not acknowledged before the
// count is safe.
func (a *Agent) lose(of source, from *replica, cause string, n int) {
	a.losses.add(from.who.Tenant, from.who.App, cause, n)
	a.batches.hold(of)
}

// tellLost counts what was passed over. The lines before it may have been
// taken already, those behind it not yet: all of them wait for the count.
func (o *output) tellLost(body engine.Output) {
	counted, guessed := body.Lost()
	if counted > 0 {
		o.agent.lose(o, o.from, "the app writes to its output faster than the agent reads it", counted)
	}
	if guessed > 0 {
		o.agent.lose(o, o.from, "the engine removed the app's output before the agent read it (about so many)", guessed)
	}
}

// tellLosses brings the counts on their way. What follows them moves the
// checkpoint at once, so that an agent that is killed hardly ever counts the
// same lines of output again. The error is ctx's.
func (a *Agent) tellLosses(ctx context.Context) error {
	told, err := a.batches.release(ctx, a.losses.take)
	if !told || err != nil {
		return err
	}
	done, err := a.batches.flush(ctx)
	if err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
