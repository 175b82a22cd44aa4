package runtime

import (
	"context"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
)

// Watch calls fn with each replica that "start"s, "die"s, or loses a process
// for memory ("oom"), and with ("", "connected") once it listens and after each
// reconnect, because what happened in between went unheard. It returns nil when
// ctx ends. fn must not block.
func (e *Engine) Watch(ctx context.Context, fn func(replica, what string)) error {
	wanted := filters.NewArgs(
		filters.Arg("type", string(events.ContainerEventType)),
		filters.Arg("label", LabelInstance+"="+e.opts.Instance),
		filters.Arg("label", LabelKind+"="+KindReplica),
		filters.Arg("event", string(events.ActionStart)),
		filters.Arg("event", string(events.ActionDie)),
		filters.Arg("event", string(events.ActionOOM)),
	)
	for ctx.Err() == nil {
		messages, failed := e.docker.Events(ctx, events.ListOptions{Filters: wanted})
		e.forgetAll() // an engine that was restarted may have lost the rules
		fn("", "connected")
		e.follow(ctx, messages, failed, fn)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}

func (e *Engine) follow(ctx context.Context, messages <-chan events.Message, failed <-chan error, fn func(replica, what string)) {
	for {
		select {
		case <-ctx.Done():
			return
		case err := <-failed:
			if ctx.Err() == nil {
				e.opts.Log.Warn("the engine's events broke off", "error", err)
			}
			return
		case m := <-messages:
			fn(m.Actor.Attributes[LabelReplica], string(m.Action))
		}
	}
}
