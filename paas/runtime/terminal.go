package runtime

import (
	"context"
	"io"
	"sync"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"kurama/paas"
)

// Attach runs command in a fresh container that is like a replica of spec, with
// its input and output tied to the streams, and returns its exit code. The
// container is gone afterwards, also when ctx ends first.
func (e *Engine) Attach(ctx context.Context, spec paas.Spec, command []string, s paas.Streams) (int, error) {
	return e.once(ctx, spec, command, func(p profile) {
		p.config.AttachStdin, p.config.OpenStdin, p.config.StdinOnce, p.config.Tty = true, true, true, s.Terminal
		if s.Terminal {
			p.config.Env = append(p.config.Env, "TERM="+s.Term)
		}
	}, func(id string) (int, error) {
		return e.attend(ctx, id, true, func(a types.HijackedResponse) error { return e.tie(ctx, id, a, s) })
	})
}

// tie copies between a container that runs and the streams until its output
// ends.
func (e *Engine) tie(ctx context.Context, id string, attached types.HijackedResponse, s paas.Streams) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends with its input, which belongs to the caller
		_, _ = io.Copy(attached.Conn, s.In)
		_ = attached.CloseWrite()
	}()
	if !s.Terminal {
		_, err := stdcopy.StdCopy(s.Out, s.Err, attached.Reader)
		return err
	}
	var resizing sync.WaitGroup
	defer resizing.Wait()
	defer cancel()
	resizing.Go(func() {
		for {
			select {
			case size, open := <-s.Sizes:
				if !open {
					return
				}
				// One that has ended meanwhile needs no size.
				_ = e.docker.ContainerResize(ctx, id, container.ResizeOptions{Height: size.Rows, Width: size.Cols})
			case <-ctx.Done():
				return
			}
		}
	})
	_, err := io.Copy(s.Out, attached.Reader)
	return err
}
