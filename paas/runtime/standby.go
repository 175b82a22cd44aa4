package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/docker/docker/api/types/container"

	"kurama/paas"
)

// A replica that stands by has its container, its network and its interpreter
// already, and waits for the source and the command of the release that it was
// made for. sdk/python/kurama/_standby.py is its other half.
const (
	standbyMount = "/run/standby" // inside the container
	ordersName   = "start.json"
	gateName     = "gate"
	// standbyMark is a file in the replica's socket folder while it waits, so
	// that the agent does not take it for one that serves.
	standbyMark = "standby"
	// gateTimeout is how long a replica may take to come to its gate.
	gateTimeout = 5 * time.Second
	gatePause   = 2 * time.Millisecond
)

// orders is what a replica that stands by waits for.
type orders struct {
	Command []string `json:"command"`
}

// Prepare starts a replica of spec that stands by. spec.Source is an earlier
// source of the app; only whether it ships an instance folder is taken from it.
// Nothing is left behind when it fails.
func (e *Engine) Prepare(ctx context.Context, spec paas.Spec) error {
	err := e.prepare(ctx, spec)
	if err != nil {
		cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return errors.Join(fmt.Errorf("replica %s, to stand by: %w", spec.Replica, err), e.Remove(cleaning, spec.Replica))
	}
	return nil
}

func (e *Engine) prepare(ctx context.Context, spec paas.Spec) error {
	if err := e.makeFolder(spec.Replica); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(e.socketFolder(spec.Replica), standbyMark), nil, 0o600); err != nil {
		return err
	}
	if err := e.makeVolumes(ctx, spec); err != nil { // a new one begins with what the source ships
		return err
	}
	folder := e.standbyFolder(spec.Replica)
	app, post := filepath.Join(folder, "app"), filepath.Join(folder, "post")
	if err := openFolders(folder, app, post); err != nil {
		return err
	}
	if emptyInstance(spec.Source) {
		if err := openFolders(filepath.Join(app, instanceName)); err != nil {
			return err
		}
	}
	gate := filepath.Join(post, gateName)
	if err := errors.Join(syscall.Mkfifo(gate, 0o644), os.Chmod(gate, 0o644)); err != nil {
		return fmt.Errorf("gate %s: %w", gate, err)
	}
	spec.Source, spec.Start = app, paas.Start{Command: []string{"python3", "-m", "kurama._standby"}}
	change := func(p profile) {
		p.config.Labels[LabelStandby] = "1"
		p.bind(post, standbyMount)
	}
	if err := e.create(ctx, spec, change); err != nil {
		return err
	}
	return e.docker.ContainerStart(ctx, e.name(spec.Replica), container.StartOptions{})
}

// Activate gives a replica that stands by the source and the command of spec,
// which is otherwise the one it was prepared with, and returns its container.
// On an error it is of no use any more; the caller removes it and starts another.
func (e *Engine) Activate(ctx context.Context, spec paas.Spec) (paas.Container, error) {
	found, err := e.activate(ctx, spec)
	if err != nil {
		return paas.Container{}, fmt.Errorf("replica %s, which stood by: %w", spec.Replica, err)
	}
	return found, nil
}

func (e *Engine) activate(ctx context.Context, spec paas.Spec) (paas.Container, error) {
	folder := e.standbyFolder(spec.Replica)
	app, post := filepath.Join(folder, "app"), filepath.Join(folder, "post")
	if emptyInstance(spec.Source) != emptyInstance(app) {
		return paas.Container{}, errors.New("the new source has another kind of instance folder")
	}
	found, err := e.introduce(ctx, spec.Replica)
	if err != nil {
		return paas.Container{}, err
	}
	if !found.Running || !found.Standby {
		return paas.Container{}, errors.New("it does not wait any more")
	}
	if err := linkTree(spec.Source, app); err != nil {
		return paas.Container{}, fmt.Errorf("source: %w", err)
	}
	gate, err := openGate(ctx, filepath.Join(post, gateName))
	if err != nil {
		return paas.Container{}, err
	}
	defer gate.Close()
	text, err := json.Marshal(orders{Command: command(spec.Start)})
	if err == nil {
		err = writeWhole(filepath.Join(post, ordersName), text)
	}
	if err == nil {
		err = os.Remove(filepath.Join(e.socketFolder(spec.Replica), standbyMark))
	}
	if err == nil {
		_, err = gate.Write([]byte{'\n'})
	}
	found.Standby = false
	return found, err
}

// openGate waits until the replica has come to its gate, which is a named pipe:
// it may still be loading. It goes on when something is written.
func openGate(ctx context.Context, path string) (*os.File, error) {
	ctx, cancel := context.WithTimeout(ctx, gateTimeout)
	defer cancel()
	for {
		gate, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if !errors.Is(err, syscall.ENXIO) { // that is: nobody reads yet
			return gate, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("it did not come to its gate: %w", ctx.Err())
		case <-time.After(gatePause):
		}
	}
}

// waits reports whether a replica that was made to stand by still does.
func (e *Engine) waits(replica string) bool {
	_, err := os.Stat(filepath.Join(e.socketFolder(replica), standbyMark))
	return err == nil
}

// linkTree makes the files of a source appear in another folder of the same
// file system, without copying them. A folder may be there already.
func linkTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, below)
		if entry.IsDir() {
			return openFolders(target)
		}
		return os.Link(path, target)
	})
}

// openFolders makes folders that the app's own user may enter, whatever the umask is.
func openFolders(folders ...string) error {
	for _, folder := range folders {
		if err := errors.Join(os.MkdirAll(folder, 0o755), os.Chmod(folder, 0o755)); err != nil {
			return err
		}
	}
	return nil
}

// writeWhole writes a file so that a reader sees all of it or none.
func writeWhole(path string, text []byte) error {
	temp := path + ".tmp"
	if err := errors.Join(os.WriteFile(temp, text, 0o644), os.Chmod(temp, 0o644)); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// Settle returns when what Activate gave a replica would survive a power cut,
// as the replica may be started again after one. The contents of the source's
// files are for the source to keep; here are the names.
func (e *Engine) Settle(replica string) error {
	folder := e.standbyFolder(replica)
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() && entry.Name() != ordersName {
			return err
		}
		return syncPath(path)
	})
	if err == nil {
		err = syncPath(filepath.Dir(folder))
	}
	if err != nil {
		return fmt.Errorf("replica %s: its source is not safe on the disk: %w", replica, err)
	}
	return nil
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (e *Engine) standbyFolder(replica string) string {
	return filepath.Join(e.opts.StandbyDir, replica)
}
