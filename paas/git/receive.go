package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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
	lasting, kill := context.WithCancelCause(context.WithoutCancel(ctx))
	defer kill(nil)
	unhook := context.AfterFunc(ctx, func() { kill(context.Cause(ctx)) })
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
