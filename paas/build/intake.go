package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"unicode/utf8"

	"kurama/internal/config"
	"kurama/paas"
)

const (
	nothingStored = "Nothing was stored."
	// minUnpacked is allowed whatever the ratio: small texts pack very well.
	minUnpacked = 4 << 20
	// maxScript bounds a single uploaded Python file.
	maxScript = 5 << 20
)

// packed is an upload that was opened: what it says it holds, and its files.
type packed interface {
	// headers lists all that the archive holds, in order.
	headers() ([]header, error)
	// unpack calls fn with each regular file's place in headers and its content.
	unpack(fn func(i int, body io.Reader) error) error
	io.Closer
}

// Intake unpacks an upload into the folder of a release, trusting nothing in
// it, and returns the SHA-256 of what was stored. It returns *paas.Invalid with
// the reason for an upload that is refused; nothing of it stays then.
func (b *Builder) Intake(ctx context.Context, tenant, app string, release int, up paas.Upload) (string, error) {
	temp, err := os.MkdirTemp(b.releases(), "intake-*"+unfinished)
	if err != nil {
		return "", fmt.Errorf("folder for the upload: %w", err)
	}
	defer os.RemoveAll(temp) // gone already when all went well
	if err := os.Chmod(temp, 0o755); err != nil {
		return "", err
	}
	if err := b.fill(ctx, temp, up); err != nil {
		return "", err
	}
	sum, err := treeDigest(temp)
	if err != nil {
		return "", fmt.Errorf("digest of the upload: %w", err)
	}
	// Flask writes here, and a container can mount only where a folder is.
	if err := os.MkdirAll(filepath.Join(temp, "instance"), 0o755); err != nil {
		return "", fmt.Errorf("folder for Flask's instance: %w", err)
	}
	return sum, b.place(temp, b.SourceFolder(tenant, app, release))
}

func (b *Builder) place(temp, folder string) error {
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return fmt.Errorf("folder of the release: %w", err)
	}
	if err := os.Rename(temp, folder); err != nil {
		return fmt.Errorf("folder of the release: %w", err)
	}
	return nil
}

// fill writes the upload's files into an empty folder.
func (b *Builder) fill(ctx context.Context, folder string, up paas.Upload) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("folder for the upload: %w", err)
	}
	defer root.Close()
	if up.Type == paas.UploadPy {
		return fillScript(root, up)
	}
	archive, size, err := open(up)
	if err != nil {
		return err
	}
	defer archive.Close()
	headers, err := archive.headers()
	if err != nil {
		return err
	}
	targets, err := targets(headers, b.cfg.Entries)
	if err == nil {
		err = leaveOut(archive, targets)
	}
	if err != nil {
		return err
	}
	w := writer{root: root, cfg: b.cfg, size: size}
	return archive.unpack(func(i int, body io.Reader) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if targets[i] == "" {
			return nil
		}
		return w.write(targets[i], headers[i].exec, body)
	})
}

// open recognises an archive by its first bytes: what the sender calls it is
// often wrong.
func open(up paas.Upload) (packed, int64, error) {
	f, err := os.Open(up.Path)
	if err != nil {
		return nil, 0, fmt.Errorf("upload: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("upload: %w", err)
	}
	magic := make([]byte, 4)
	n, _ := f.ReadAt(magic, 0)
	var archive packed
	switch magic = magic[:n]; {
	case bytes.Equal(magic, []byte("PK\x03\x04")), bytes.Equal(magic, []byte("PK\x05\x06")):
		archive, err = openZip(f, info.Size())
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		archive = &tarArchive{file: f}
	case n == 0:
		err = invalid("The upload is empty. Send a zip, a tar.gz or a .py file.")
	default:
		err = invalid("%s is neither a zip nor a tar.gz. Pack the app's folder again, or send one .py file. %s", named(up), nothingStored)
	}
	if err != nil {
		f.Close()
	}
	return archive, info.Size(), err
}

func named(up paas.Upload) string {
	if up.Name == "" {
		return "The upload"
	}
	return fmt.Sprintf("`%s`", path.Base(up.Name))
}

// fillScript stores a single Python file as app.py, which is importable
// whatever the file was called.
func fillScript(root *os.Root, up paas.Upload) error {
	f, err := os.Open(up.Path)
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxScript+1))
	switch {
	case err != nil:
		return fmt.Errorf("upload: %w", err)
	case len(bytes.TrimSpace(text)) == 0:
		return invalid("%s is empty. %s", named(up), nothingStored)
	case len(text) > maxScript:
		return invalid("%s is larger than %s, which is much for one Python file. %s", named(up), config.Bytes(maxScript), nothingStored)
	case !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0:
		return invalid("%s is not text in UTF-8, so it cannot be a Python file. %s", named(up), nothingStored)
	}
	return root.WriteFile("app.py", text, 0o644)
}

// writer writes files below root and counts what is really written, because
// the sizes that an archive claims mean nothing.
type writer struct {
	root    *os.Root
	cfg     config.Build
	size    int64 // of the archive
	written int64
}

func (w *writer) write(name string, exec bool, body io.Reader) error {
	if dir := path.Dir(name); dir != "." {
		if err := w.root.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("folder %s: %w", dir, err)
		}
	}
	mode := os.FileMode(0o644)
	if exec {
		mode = 0o755
	}
	f, err := w.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return fmt.Errorf("file %s: %w", name, err)
	}
	defer f.Close()
	n, err := io.Copy(f, io.LimitReader(body, w.room()+1))
	w.written += n
	if err != nil {
		return damaged(name, err)
	}
	if err := w.check(); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil { // the umask may have narrowed it
		return fmt.Errorf("file %s: %w", name, err)
	}
	return f.Close()
}

func (w *writer) byRatio() int64 { return max(minUnpacked, w.size*int64(w.cfg.Ratio)) }

func (w *writer) room() int64 { return max(0, min(int64(w.cfg.SourceMax), w.byRatio())-w.written) }

func (w *writer) check() error {
	switch {
	case w.written > int64(w.cfg.SourceMax):
		return invalid("The archive unpacks to more than %s, the largest app that is accepted. Leave out data, virtual environments and build results. %s",
			w.cfg.SourceMax, nothingStored)
	case w.written > w.byRatio():
		return invalid("The archive unpacks to more than %d times its size, as a bomb does. Pack only the app's own files. %s", w.cfg.Ratio, nothingStored)
	}
	return nil
}

// damaged says that an archive cannot be read to its end.
func damaged(name string, err error) error {
	if known, ok := errors.AsType[*paas.Invalid](err); ok {
		return known
	}
	// Reading fails where a damaged archive points, too; writing is our own.
	if e, ok := errors.AsType[*os.PathError](err); ok {
		if e.Op == "write" {
			return fmt.Errorf("file %s: %w", name, err)
		}
		err = e.Err // where the upload lies is nothing to tell
	}
	return invalid("The archive is damaged at `%s`: %v. Pack it again. %s", name, err, nothingStored)
}
