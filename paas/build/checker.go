package build

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

//go:embed syntax.py
var syntaxProgram string

const (
	// checkTimeout bounds one check; a source that takes longer is left to the start.
	checkTimeout = 20 * time.Second
	// checkerPause is how long after one was used the next checker is made: what
	// it was used for is starting.
	checkerPause = 3 * time.Second
	// checkerLongest is the longest pause while none can be made; it doubles until then.
	checkerLongest = 2 * time.Minute
	checkMemory    = 256 << 20
	maxAnswer      = 8 << 20
)

// checker is a container in which Python waits to compile one source. Nobody
// uses it twice: what a hostile source does to it ends with it. It ends by
// itself when its input does, so that nothing stays of a process that was killed.
type checker struct {
	id       string
	attached types.HijackedResponse
}

// KeepChecker keeps a checker ready until ctx ends: a deploy would wait half a
// second for one.
func (b *Builder) KeepChecker(ctx context.Context) {
	for pause := checkerPause; ctx.Err() == nil; {
		c, err := b.openChecker(ctx)
		if err != nil {
			if ctx.Err() == nil && pause == checkerPause {
				b.opts.Log.Warn("no container is ready to check sources", "error", err)
			}
			pause = min(2*pause, checkerLongest)
		} else {
			pause = checkerPause
			select {
			case b.checkers <- c:
			case <-ctx.Done():
				b.closeChecker(c)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// compile has Python compile what question holds, and returns its answer.
func (b *Builder) compile(ctx context.Context, question []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	select {
	case c := <-b.checkers:
		if answer, err := b.put(ctx, c, question); err == nil {
			return answer, nil
		}
	default:
	}
	c, err := b.openChecker(ctx)
	if err != nil {
		return nil, err
	}
	return b.put(ctx, c, question)
}

// put asks a checker and lets go of it.
func (b *Builder) put(ctx context.Context, c *checker, question []byte) ([]byte, error) {
	stop := context.AfterFunc(ctx, c.attached.Close) // neither reading nor writing heeds ctx
	defer stop()
	var sending sync.WaitGroup
	sending.Go(func() {
		if _, err := c.attached.Conn.Write(question); err == nil {
			_ = c.attached.CloseWrite()
		}
	})
	var answer, errs bytes.Buffer
	_, err := stdcopy.StdCopy(&bounded{&answer}, &bounded{&errs}, c.attached.Reader)
	c.attached.Close()
	sending.Wait()
	line, cut := bufio.NewReader(&answer).ReadBytes('\n')
	if err == nil && cut == nil {
		return line, nil // it has ended, and the engine removes it
	}
	b.closeChecker(c)
	return nil, errors.Join(err, cut, context.Cause(ctx), errors.New(lastOf(errs.String())))
}

// bounded takes at most maxAnswer bytes.
type bounded struct{ to *bytes.Buffer }

// Write fails beyond the bound.
func (w *bounded) Write(p []byte) (int, error) {
	if w.to.Len()+len(p) > maxAnswer {
		return 0, errors.New("the answer is too long")
	}
	return w.to.Write(p)
}

func lastOf(text string) string {
	if len(text) > maxSaid {
		text = text[len(text)-maxSaid:]
	}
	return text
}

// openChecker starts a checker.
func (b *Builder) openChecker(ctx context.Context) (*checker, error) {
	base, err := b.ready(ctx, func(string) {})
	if err != nil {
		return nil, err
	}
	pids := int64(8)
	config := &container.Config{Image: base.image, User: "65534:65534", Entrypoint: noEntrypoint, Cmd: []string{"python3", "-I", "-S", "-c", syntaxProgram},
		OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true,
		Labels: map[string]string{"kurama.instance": b.opts.Instance, "kurama.kind": "check"}}
	host := &container.HostConfig{NetworkMode: "none", ReadonlyRootfs: true, CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges:true"},
		AutoRemove: true, OomScoreAdj: 700, LogConfig: container.LogConfig{Type: "none"},
		Resources: container.Resources{Memory: checkMemory, MemorySwap: checkMemory, NanoCPUs: 1e9, PidsLimit: &pids, CPUShares: buildShares,
			Ulimits: []*container.Ulimit{{Name: "core"}}}}
	if err := b.wall(ctx, host); err != nil {
		return nil, err
	}
	made, err := b.opts.Docker.ContainerCreate(context.WithoutCancel(ctx), config, host, nil, nil, "")
	if err != nil {
		return nil, fmt.Errorf("container that checks sources: %w", err)
	}
	c := &checker{id: made.ID}
	c.attached, err = b.opts.Docker.ContainerAttach(ctx, c.id, container.AttachOptions{Stream: true, Stdin: true, Stdout: true, Stderr: true})
	if err == nil {
		err = b.opts.Docker.ContainerStart(ctx, c.id, container.StartOptions{})
	}
	if err != nil {
		b.closeChecker(c)
		return nil, fmt.Errorf("container that checks sources: %w", err)
	}
	return c, nil
}

// closeChecker ends a checker that was not used, or not well.
func (b *Builder) closeChecker(c *checker) {
	if c.attached.Conn != nil {
		c.attached.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	// It may be gone, or going, by itself.
	_ = b.opts.Docker.ContainerRemove(ctx, c.id, container.RemoveOptions{Force: true})
}
