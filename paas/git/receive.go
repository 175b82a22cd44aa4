package git

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"kurama/internal/turns"
	"kurama/paas"
)

// zeroID stands for a ref that there is not.
const zeroID = "0000000000000000000000000000000000000000"

// drained is how much more than is taken of a push is read and thrown away, so that
// its sender hears why: git listens only once it has sent everything.
const drained = 4

// maxOrders bounds what the hook says of a push, bytes.
const maxOrders = 1 << 20

// answered is why a push was refused, after its sender was told.
type answered struct{ error }

// Unwrap returns why.
func (a answered) Unwrap() error { return a.error }

// Advertise writes what an app's repository has, for a client that wants to push to
// it (gitprotocol-http(5)). An app that was never pushed to has nothing. It returns
// *paas.Invalid where no push can be taken.
func (r *Repositories) Advertise(ctx context.Context, tenant, app string, w io.Writer) error {
	if err := available(); err != nil {
		return err
	}
	refs := packet(zeroID+" capabilities^{}\x00report-status side-band-64k quiet ofs-delta agent=kurama\n") + "0000"
	repo := r.folder(key{tenant, app})
	switch _, err := os.Stat(filepath.Join(repo, "HEAD")); {
	case err == nil:
		if refs, err = r.run(ctx, repo, nil, "receive-pack", "--stateless-rpc", "--advertise-refs", repo); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("repository of app %s: %w", app, err)
	}
	_, err := io.WriteString(w, packet("# service=git-receive-pack\n")+"0000"+refs)
	return err
}

// Receive takes a push and answers it. Where it may be and is one of a branch that
// deploys, p.Deploy gets the commit, and the push is refused unless that succeeds. A
// push that is refused leaves nothing. It returns why it was refused, which its
// sender has been told; a question that pushes nothing is none.
func (r *Repositories) Receive(ctx context.Context, p paas.Push) error {
	spool, err := r.keep(p.Body)
	if spool == nil {
		return err
	}
	defer func() { _ = errors.Join(spool.Close(), os.Remove(spool.Name())) }()
	req, bad := readRequest(spool)
	if bad != nil || err == nil && len(req.commands) == 0 {
		return bad
	}
	var branch command
	if err == nil {
		branch, err = r.deploying(req)
	}
	if err == nil {
		err = r.alone(ctx, p, func() (err error) {
			if _, err = spool.Seek(0, io.SeekStart); err == nil {
				err = r.receive(ctx, p, spool, branch)
			}
			return err
		})
	}
	if _, told := errors.AsType[answered](err); err != nil && !told {
		return errors.Join(err, req.refuse(p.Answer, p.Explain(err)))
	}
	return err
}

// keep stores a push as it arrives: git begins when it is there, so that a slow
// sender holds up nobody.
func (r *Repositories) keep(body io.Reader) (*os.File, error) {
	f, err := os.CreateTemp(r.opts.Temp, "upload-push-*")
	if err != nil {
		return nil, fmt.Errorf("keeping a push: %w", err)
	}
	n, err := io.Copy(f, io.LimitReader(body, int64(r.cfg.Max)+1))
	if err == nil && n > int64(r.cfg.Max) {
		_, _ = io.CopyN(io.Discard, body, int64(r.cfg.Max)*drained)
		err = invalid("The push is larger than %s (git.max); nothing was stored. Take large files out of the history, or push the last commit alone: git push --force … $(git commit-tree -m deploy HEAD^{tree}):refs/heads/%s", r.cfg.Max, r.cfg.Deploying()[0])
	} else if err != nil {
		_ = errors.Join(f.Close(), os.Remove(f.Name()))
		return nil, err
	}
	if _, seek := f.Seek(0, io.SeekStart); seek != nil {
		err = errors.Join(err, seek)
	}
	return f, err
}

// deploying returns the one branch of a push that deploys. Tags may come along.
func (r *Repositories) deploying(req request) (found command, err error) {
	names := strings.Join(r.cfg.Deploying(), " or ")
	for _, c := range req.commands {
		branch, isBranch := strings.CutPrefix(c.ref, "refs/heads/")
		switch {
		case c.deletes():
			return found, invalid("%s cannot be deleted here: it is what was deployed. To take the app away, use `kurama delete`.", printable(c.ref))
		case isBranch && slices.Contains(r.cfg.Deploying(), branch):
			if found.ref != "" {
				return found, invalid("%s were pushed at once, and an app has one live release. Push one of them.", strings.Join(r.cfg.Deploying(), " and "))
			}
			found = c
		case !strings.HasPrefix(c.ref, "refs/tags/"):
			short := printable(strings.TrimPrefix(c.ref, "refs/heads/"))
			return found, invalid("The branch %s does not deploy, only %s does. To deploy it, push it as that: git push … %s:%s", short, names, short, r.cfg.Deploying()[0])
		}
	}
	if found.ref == "" {
		tag := printable(strings.TrimPrefix(req.commands[0].ref, "refs/tags/"))
		return found, invalid("A tag does not deploy, only %s does. To deploy it, push its commit as that: git push … %s^{commit}:refs/heads/%s", names, tag, r.cfg.Deploying()[0])
	}
	return found, nil
}

// alone runs work while no other push of the app is under way, and leaves its
// repository tidy.
func (r *Repositories) alone(ctx context.Context, p paas.Push, work func() error) error {
	k := key{p.Tenant, p.App}
	leave, err := r.enter(k)
	if err != nil {
		return err
	}
	defer leave()
	err = work()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.Timeout)
	defer cancel()
	if untidy := r.tidy(ctx, k); untidy != nil {
		r.opts.Log.Warn("the repository of an app is not tidy", "tenant", p.Tenant, "app", p.App, "error", untidy)
	}
	return err
}

// receive lets git take a push, from its turn to its end.
func (r *Repositories) receive(ctx context.Context, p paas.Push, spool io.Reader, branch command) error {
	// Whoever hangs up, and the bound of time, end a push until its deploy begins.
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	tooLong := time.AfterFunc(r.cfg.Timeout, func() {
		end(invalid("The push was given up after %s (git.timeout). Nothing was stored.", r.cfg.Timeout))
	})
	defer tooLong.Stop()
	leave, err := r.turns.Enter(ctx, p.Tenant, func(int) {})
	if full, ok := errors.AsType[*turns.Full](err); ok {
		return invalid("Too many pushes come at once: %v. Push again in a moment.", full)
	}
	if err != nil {
		return err
	}
	left := atomic.Bool{}
	once := func() {
		if !left.Swap(true) {
			leave()
		}
	}
	defer once()
	repo, err := r.open(ctx, key{p.Tenant, p.App})
	if err != nil {
		return reason(ctx, err)
	}
	lasting, kill := context.WithCancel(context.WithoutCancel(ctx))
	defer kill()
	unhook := context.AfterFunc(ctx, kill)
	hook := &hooked{r: r, p: p, repo: repo, branch: branch, begin: func() error {
		if !unhook() {
			return context.Cause(ctx)
		}
		tooLong.Stop()
		once() // a deploy waits for turns of its own
		return nil
	}}
	err = r.serve(lasting, hook, spool)
	if cause := context.Cause(ctx); cause != nil && !hook.deployed && hook.err == nil {
		_, _ = io.WriteString(p.Answer, band(3, p.Explain(cause)+"\n"))
		return answered{cause}
	}
	return err
}

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
		return err
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
