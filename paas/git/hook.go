package git

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"kurama/paas"
)

// maxOrders bounds what the hook says of a push, bytes.
const maxOrders = 1 << 20

// serve runs git receive-pack with the hook at its side.
func (r *Repositories) serve(ctx context.Context, hook *hooked, spool io.Reader) error {
	cmd := r.command(ctx, hook.repo, nil, "receive-pack", "--stateless-rpc", hook.repo)
	var said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = spool, hook.p.Answer, &said
	decided, err := hook.attach(ctx, cmd)
	if err != nil {
		return err
	}
	err = cmd.Wait()
	<-decided
	switch {
	case hook.err != nil:
		return answered{hook.err}
	case err != nil:
		return answered{fmt.Errorf("git receive-pack: %w: %s", err, said.Bytes())}
	case !hook.deployed:
		return answered{invalid("git did not take what was pushed, and told its sender why.")}
	}
	return nil
}

// hooked is Kurama's side of git's hook.
type hooked struct {
	r      *Repositories
	p      paas.Push
	repo   string
	branch command
	begin  func() error // called before the deploy

	deployed bool
	err      error // why the push is refused
}

// attach starts git with the hook's three pipes, and returns a channel that is
// closed once all is decided.
func (h *hooked) attach(ctx context.Context, cmd *exec.Cmd) (<-chan struct{}, error) {
	var ours, theirs [3]*os.File
	var err error
	for i := range ours {
		read, write, failed := os.Pipe()
		if err = failed; err != nil {
			break
		}
		if ours[i], theirs[i] = write, read; i == 0 {
			ours[i], theirs[i] = read, write
		}
	}
	if err == nil {
		cmd.ExtraFiles = theirs[:]
		err = cmd.Start()
	}
	for _, f := range theirs {
		_ = f.Close() // nil where there is none
	}
	if err != nil {
		for _, f := range ours {
			_ = f.Close()
		}
		return nil, fmt.Errorf("starting git: %w", err)
	}
	decided := make(chan struct{})
	go func() {
		defer close(decided)
		h.listen(ctx, ours[0], ours[1], ours[2])
	}()
	return decided, nil
}

// listen waits for the hook, decides, and tells it.
func (h *hooked) listen(ctx context.Context, orders, says, code *os.File) {
	defer func() { _ = errors.Join(orders.Close(), says.Close(), code.Close()) }()
	lines, asked := readOrders(orders)
	if !asked {
		return // git refused the push before
	}
	if h.err = h.decide(ctx, objects{h.r, h.repo, []string{"GIT_OBJECT_DIRECTORY=" + lines[0], "GIT_ALTERNATE_OBJECT_DIRECTORIES=" + lines[1]}}, says); h.err != nil {
		_, _ = io.WriteString(says, h.p.Explain(h.err)+"\n")
	}
	_ = says.Close()
	answer := "0\n"
	if h.err != nil {
		answer = "1\n"
	}
	_, _ = io.WriteString(code, answer)
}

// readOrders reads what the hook says, up to an empty line.
func readOrders(orders io.Reader) (lines []string, complete bool) {
	in := bufio.NewReader(io.LimitReader(orders, maxOrders))
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, false
		}
		if line = strings.TrimSuffix(line, "\n"); line == "" && len(lines) >= 2 {
			return lines, true
		}
		lines = append(lines, line)
	}
}

// decide deploys the commit that the branch is to have.
func (h *hooked) decide(ctx context.Context, o objects, says io.Writer) error {
	pushed, err := o.pack(ctx, strings.TrimPrefix(h.branch.ref, "refs/heads/"), h.branch.after)
	if err != nil {
		return reason(ctx, err)
	}
	for _, remark := range pushed.Remarks {
		_, _ = fmt.Fprintln(says, remark)
	}
	if err := h.begin(); err != nil {
		return errors.Join(err, os.Remove(pushed.Upload.Path))
	}
	err = h.p.Deploy(ctx, pushed, says)
	h.deployed = err == nil
	return err
}
