// Package git takes what people push: it keeps a bare repository for each app that
// is pushed to, and makes the pushed commit an upload. The host's git does what has
// to do with objects, in processes of its own with bounds, with no settings but
// Kurama's and no hook but Kurama's.
package git

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"kurama/internal/config"
	"kurama/internal/turns"
	"kurama/paas"
)

// Options are the places and facts that Repositories work with. All of them are
// required.
type Options struct {
	Releases  string       // folder of the releases; an app's repository is <tenant>/<app>/git in it
	Temp      string       // folder of what is on its way
	Hooks     string       // folder of the hook, of nobody else's
	SourceMax config.Bytes // of the files of a commit together
	Entries   int          // files of a commit
	Log       *slog.Logger
}

// Bounds that nobody needs to set.
const (
	maxPacks  = 30              // of a repository, before it is packed anew
	waiting   = 100             // pushes that wait for their turn
	waitDelay = 5 * time.Second // for what a process that was ended has left open
)

//go:embed pre-receive.sh
var hook []byte

// key names an app on the platform.
type key struct{ tenant, app string }

// Repositories are those of all apps. Its methods may be called at the same time.
type Repositories struct {
	cfg      config.Git
	opts     Options
	settings []string // of every git that is run
	turns    *turns.Queue

	mu   sync.Mutex
	busy map[key]bool // apps that are being pushed to
}

// New returns the repositories below opts.Releases, and lays the hook.
func New(cfg config.Git, opts Options) (*Repositories, error) {
	if err := os.MkdirAll(opts.Hooks, 0o700); err != nil {
		return nil, fmt.Errorf("folder of git's hook: %w", err)
	}
	if err := os.WriteFile(filepath.Join(opts.Hooks, "pre-receive"), hook, 0o700); err != nil {
		return nil, fmt.Errorf("laying git's hook: %w", err)
	}
	half := max(1, cfg.AtOnce/2)
	return &Repositories{cfg: cfg, opts: opts, settings: settings(cfg, opts.Hooks), busy: map[key]bool{},
		turns: turns.New(turns.Bounds{AtOnce: cfg.AtOnce, TenantAtOnce: half, Most: waiting, TenantMost: waiting / 2})}, nil
}

// settings are given to each git on its command line, so that they hold whatever
// lies in a repository: nothing runs by itself, everything that comes is checked,
// and memory has bounds. What old histories are full of, and harms nobody, is let
// pass (git-fsck(1)).
func settings(cfg config.Git, hooks string) []string {
	var args []string
	for _, s := range []string{
		"core.hooksPath=" + hooks, "core.logAllRefUpdates=false", "core.bigFileThreshold=16m",
		"core.packedGitLimit=256m", "core.packedGitWindowSize=32m", "core.deltaBaseCacheLimit=32m",
		"pack.threads=1", "pack.windowMemory=64m", "pack.deltaCacheSize=32m", "gc.auto=0",
		"receive.fsckObjects=true", "receive.autogc=false", "receive.denyDeletes=true", "receive.shallowUpdate=true",
		"receive.unpackLimit=1", "receive.advertisePushOptions=false", "receive.maxInputSize=" + strconv.FormatInt(int64(cfg.Max), 10),
		"receive.fsck.zeroPaddedFilemode=ignore", "receive.fsck.badTimezone=ignore", "receive.fsck.missingSpaceBeforeDate=ignore",
	} {
		args = append(args, "-c", s)
	}
	return args
}

// bounded sets what a process and all that it starts may take, and becomes it:
// KiB of address space, seconds of CPU, blocks of 512 bytes of a file.
const bounded = `ulimit -c 0 && ulimit -v "$1" && ulimit -t "$2" && ulimit -f "$3" && shift 3 && exec nice -n 5 git "$@"`

// path is where programs are looked for.
const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// command prepares a git in a repository.
func (r *Repositories) command(ctx context.Context, repo string, env []string, args ...string) *exec.Cmd {
	limits := []string{"-c", bounded, "git", strconv.FormatInt(int64(r.cfg.Memory)>>10, 10),
		strconv.Itoa(max(1, int(r.cfg.Timeout/time.Second))), strconv.FormatInt(int64(r.cfg.Max)*4/512, 10)}
	cmd := exec.CommandContext(ctx, "/bin/sh", append(append(limits, r.settings...), args...)...)
	cmd.Dir = repo
	cmd.Env = append([]string{"PATH=" + path, "HOME=/nonexistent", "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_ATTR_NOSYSTEM=1", "GIT_NO_REPLACE_OBJECTS=1", "GIT_TERMINAL_PROMPT=0", "GIT_DIR=" + repo}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = waitDelay
	return cmd
}

// run runs a git to its end and returns what it wrote.
func (r *Repositories) run(ctx context.Context, repo string, env []string, args ...string) (string, error) {
	out, err := r.command(ctx, repo, env, args...).Output()
	return string(out), failure(args[0], err)
}

// failure adds what a git said to how it ended.
func failure(verb string, err error) error {
	if err == nil {
		return nil
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && len(exit.Stderr) > 0 {
		return fmt.Errorf("git %s: %w: %s", verb, err, exit.Stderr)
	}
	return fmt.Errorf("git %s: %w", verb, err)
}

// available returns *paas.Invalid where the host has no git.
func available() error {
	for _, dir := range filepath.SplitList(path) {
		if info, err := os.Stat(filepath.Join(dir, "git")); err == nil && info.Mode()&0o111 != 0 {
			return nil
		}
	}
	return &paas.Invalid{Reason: "This installation takes no pushes: git is not installed on its machine. Ask the operator to install it (`kurama setup` does), or use `kurama deploy`."}
}

func (r *Repositories) folder(k key) string {
	return filepath.Join(r.opts.Releases, k.tenant, k.app, "git")
}

// open returns an app's repository, which is made where there is none.
func (r *Repositories) open(ctx context.Context, k key) (repo string, err error) {
	repo = r.folder(k)
	if _, err := os.Stat(filepath.Join(repo, "HEAD")); err == nil {
		r.removeQuarantines(repo)
		return repo, nil
	}
	if err := errors.Join(os.RemoveAll(repo), os.MkdirAll(repo, 0o700)); err != nil {
		return "", fmt.Errorf("repository of app %s: %w", k.app, err)
	}
	_, err = r.run(ctx, repo, nil, "init", "--quiet", "--bare", "--template=", repo)
	return repo, err
}

// removeQuarantines removes what pushes have left that a crash cut off.
func (r *Repositories) removeQuarantines(repo string) {
	for _, pattern := range []string{"incoming-*", "tmp_objdir-*"} {
		left, _ := filepath.Glob(filepath.Join(repo, "objects", pattern)) // the pattern is right
		for _, folder := range left {
			if err := os.RemoveAll(folder); err != nil {
				r.opts.Log.Warn("what a push left cannot be removed", "folder", folder, "error", err)
			}
		}
	}
}

// tidy keeps a repository within its bounds, once a push is over: one without a
// branch goes, one of many packs is packed anew, and one that is too large then is
// given up, since whoever pushes has all of it.
func (r *Repositories) tidy(ctx context.Context, k key) error {
	repo := r.folder(k)
	branches, err := r.run(ctx, repo, nil, "for-each-ref", "--count=1", "refs/heads")
	if err != nil {
		return err
	}
	if branches == "" {
		return r.remove(k)
	}
	bytes, packs := size(repo)
	if packs > maxPacks || bytes > int64(r.cfg.Max) {
		if _, err := r.run(ctx, repo, nil, "repack", "-adq"); err != nil {
			return errors.Join(err, r.remove(k))
		}
		bytes, _ = size(repo)
	}
	if bytes > int64(r.cfg.Max) {
		r.opts.Log.Info("the repository of an app has grown too large and is given up; its next push brings it back", "tenant", k.tenant, "app", k.app, "bytes", bytes)
		return r.remove(k)
	}
	return nil
}

// remove removes a repository, and the folders around it where nothing else is in
// them.
func (r *Repositories) remove(k key) error {
	repo := r.folder(k)
	if err := os.RemoveAll(repo); err != nil {
		return fmt.Errorf("removing the repository of app %s: %w", k.app, err)
	}
	if os.Remove(filepath.Dir(repo)) == nil {
		_ = os.Remove(filepath.Dir(filepath.Dir(repo)))
	}
	return nil
}

// size returns the bytes of a repository's files, and how many are packs.
func size(repo string) (bytes int64, packs int) {
	_ = filepath.WalkDir(repo, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // gone meanwhile
		}
		if info, err := d.Info(); err == nil {
			bytes += info.Size()
		}
		if filepath.Ext(name) == ".pack" {
			packs++
		}
		return nil
	})
	return bytes, packs
}

// enter takes an app for one push; it returns paas.ErrConflict while there is
// another.
func (r *Repositories) enter(k key) (leave func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy[k] {
		return nil, fmt.Errorf("another push of %s is under way; push again when it is over: %w", k.app, paas.ErrConflict)
	}
	r.busy[k] = true
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.busy, k)
	}, nil
}

func invalid(format string, args ...any) error {
	return &paas.Invalid{Reason: fmt.Sprintf(format, args...)}
}

// reason is err, or why its context ended.
func reason(ctx context.Context, err error) error {
	return cmp.Or(context.Cause(ctx), err)
}
