package runtime

import (
	"context"
	"fmt"

	"github.com/docker/docker/api/types/container"
)

// Exec runs command in a replica that runs, as its own user and with the
// image's own search path, and calls fn with each line of its output. It
// returns the exit code, or paas.ErrNotFound for a replica that is gone. A
// command that outlives ctx goes on inside the replica.
func (e *Engine) Exec(ctx context.Context, replica string, command []string, fn func(stream, line string)) (int, error) {
	fail := func(err error) (int, error) { return 0, fmt.Errorf("command in replica %s: %w", replica, meaning(err)) }
	made, err := e.docker.ContainerExecCreate(ctx, e.name(replica), container.ExecOptions{Cmd: command, AttachStdout: true, AttachStderr: true,
		WorkingDir: "/", Env: []string{"PATH=" + imagePath}})
	if err != nil {
		return fail(err)
	}
	attached, err := e.docker.ContainerExecAttach(ctx, made.ID, container.ExecAttachOptions{})
	if err != nil {
		return fail(err)
	}
	defer attached.Close()
	defer context.AfterFunc(ctx, attached.Close)() // reading does not heed ctx by itself
	if err := copyLines(attached.Reader, fn); err != nil || ctx.Err() != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return fail(err)
	}
	ended, err := e.docker.ContainerExecInspect(ctx, made.ID)
	if err != nil {
		return fail(err)
	}
	return ended.ExitCode, nil
}
