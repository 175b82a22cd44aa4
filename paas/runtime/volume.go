package runtime

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"kurama/paas"
)

// A volume is a file system in a file of its own, VolumeDir/<tenant>/<app>/<path>.img,
// mounted beside it: the only bound on what a folder holds that every Linux has. The
// path is percent-encoded. The file is sparse and takes what is written.
const imageSuffix = ".img"

// makeVolumes mounts the volumes of spec, made where they are new, and the
// places in the source where they are seen. A new one begins with what the
// release ships there.
func (e *Engine) makeVolumes(ctx context.Context, spec paas.Spec) error {
	if len(spec.Volumes) == 0 {
		return nil // and wait for nobody's file system to be made
	}
	e.volumes.Lock()
	defer e.volumes.Unlock()
	for _, v := range spec.Volumes {
		place := filepath.Join(spec.Source, v.Path)
		if info, err := os.Stat(place); err == nil && !info.IsDir() {
			return &paas.Invalid{Reason: fmt.Sprintf("The app has a volume at `%s`, where its source has a file. Rename the one or remove the other.", v.Path)}
		}
		if err := os.MkdirAll(place, 0o755); err != nil {
			return fmt.Errorf("volume %s: %w", v.Path, err)
		}
		if err := e.makeVolume(ctx, spec, v); err != nil {
			return fmt.Errorf("volume %s of app %s: %w", v.Path, spec.App, err)
		}
	}
	return nil
}

func (e *Engine) makeVolume(ctx context.Context, spec paas.Spec, v paas.Volume) error {
	folder := e.volumeFolder(spec.Tenant, spec.App, v.Path)
	image := folder + imageSuffix
	_, err := os.Stat(image)
	switch {
	case err == nil && mounted(folder):
		return nil
	case err == nil:
		return mountImage(ctx, image, folder)
	case os.Getuid() != 0:
		return &paas.Invalid{Reason: "Volumes need Kurama to run as root, so that their size can be bounded. Ask its operator, or remove the volume."}
	}
	return e.formatVolume(ctx, spec, v, folder)
}

// formatVolume makes a volume under a temporary name, so that one that was cut
// off in the middle is never taken for one that is empty.
func (e *Engine) formatVolume(ctx context.Context, spec paas.Spec, v paas.Volume, folder string) (err error) {
	image, temp := folder+imageSuffix, folder+".new"
	if err := errors.Join(unmount(folder), os.RemoveAll(temp), os.MkdirAll(folder, 0o700)); err != nil {
		return err
	}
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(v.Size), f.Close()); err != nil {
		return err
	}
	uid := firstUID + spec.UID
	if err := tool(ctx, "mkfs.ext4", "-q", "-F", "-m", "0", "-E", fmt.Sprintf("root_owner=%d:%d", uid, uid), temp); err != nil {
		return err
	}
	if err := mountImage(ctx, temp, folder); err != nil {
		return err
	}
	if err := seed(filepath.Join(spec.Source, v.Path), folder, uid); err != nil {
		return errors.Join(fmt.Errorf("what the release ships there: %w", err), unmount(folder))
	}
	return os.Rename(temp, image)
}

// seed copies what a release ships into a new volume.
func seed(from, to string, uid int) error {
	if err := os.Remove(filepath.Join(to, "lost+found")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	return filepath.WalkDir(to, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, uid)
	})
}

func mountImage(ctx context.Context, image, folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return tool(ctx, "mount", "-t", "ext4", "-o", "loop,nosuid,nodev,noexec", image, folder)
}

// tool runs a program of the host and returns what it said when it fails.
func tool(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// unmount takes a volume's file system off its folder; replicas that use it
// keep theirs. One that is not mounted is no error.
func unmount(folder string) error {
	err := syscall.Unmount(folder, syscall.MNT_DETACH)
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.EPERM) && !mounted(folder) {
		return nil
	}
	return err
}

// mounted reports whether something is mounted on a folder.
func mounted(folder string) bool {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 4 && unescaped(fields[4]) == folder {
			return true
		}
	}
	return false
}

// unescaped undoes what the kernel does to blanks in a path.
func unescaped(path string) string {
	if plain, err := strconv.Unquote(`"` + strings.ReplaceAll(path, `"`, `\"`) + `"`); err == nil {
		return plain
	}
	return path
}

func (e *Engine) volumeFolder(tenant, app, path string) string {
	return filepath.Join(e.opts.VolumeDir, tenant, app, url.PathEscape(path))
}

// MountVolumes mounts all volumes that there are, as after a restart of the
// host: a replica that is started again expects its own in place.
func (e *Engine) MountVolumes(ctx context.Context) error {
	return e.eachVolume(func(folder string) error {
		if mounted(folder) {
			return nil
		}
		return mountImage(ctx, folder+imageSuffix, folder)
	})
}

// UnmountVolumes takes all volumes off, once no replica runs.
func (e *Engine) UnmountVolumes() error { return e.eachVolume(unmount) }

func (e *Engine) eachVolume(do func(folder string) error) error {
	e.volumes.Lock()
	defer e.volumes.Unlock()
	images, err := filepath.Glob(filepath.Join(e.opts.VolumeDir, "*", "*", "*"+imageSuffix))
	for _, image := range images {
		folder := strings.TrimSuffix(image, imageSuffix)
		if failed := do(folder); failed != nil {
			err = errors.Join(err, fmt.Errorf("volume %s: %w", folder, failed))
		}
	}
	return err
}

// RemoveVolume deletes a volume of an app with all that it holds, or all of the
// app's where path is empty. Replicas that still run keep theirs to their end.
func (e *Engine) RemoveVolume(tenant, app, path string) error {
	if e.opts.VolumeDir == "" || paas.CheckName("a tenant", tenant) != nil || paas.CheckName("an app", app) != nil {
		return fmt.Errorf("no volume belongs to %q of tenant %q", app, tenant)
	}
	e.volumes.Lock()
	defer e.volumes.Unlock()
	all := filepath.Join(e.opts.VolumeDir, tenant, app)
	folders := []string{e.volumeFolder(tenant, app, path)}
	if path == "" {
		images, err := filepath.Glob(filepath.Join(all, "*"+imageSuffix))
		if err != nil {
			return err
		}
		folders = folders[:0]
		for _, image := range images {
			folders = append(folders, strings.TrimSuffix(image, imageSuffix))
		}
	}
	var errs []error
	for _, folder := range folders {
		// Never RemoveAll while it is mounted: the image goes first, the folder only empty.
		if err := unmount(folder); err != nil {
			errs = append(errs, fmt.Errorf("volume %s: %w", folder, err))
			continue
		}
		errs = append(errs, gone(os.Remove(folder+imageSuffix)), gone(os.Remove(folder)))
	}
	if path == "" && errors.Join(errs...) == nil {
		errs = append(errs, os.RemoveAll(all))
	}
	return errors.Join(errs...)
}

func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// VolumeUse returns the bytes taken on a volume; false while it is not mounted.
func (e *Engine) VolumeUse(tenant, app, path string) (int64, bool) {
	folder := e.volumeFolder(tenant, app, path)
	var s syscall.Statfs_t
	if !mounted(folder) || syscall.Statfs(folder, &s) != nil {
		return 0, false
	}
	return int64(s.Blocks-s.Bfree) * s.Bsize, true
}
