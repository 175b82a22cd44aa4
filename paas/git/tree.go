package git

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"unicode"

	"kurama/paas"
)

// Bounds of what is told of a commit.
const (
	maxSubject = 100 // characters
	maxRemarks = 10  // files that were left out, each by its name
)

// lfsPointer begins a file that stands for another one (the specification of Git
// LFS); such a file is shorter than 1024 bytes.
const lfsPointer = "version https://git-lfs.github.com/spec/"

// entry is a file of a commit.
type entry struct {
	mode, id, name string
	size           int64 // bytes; -1: it is none of the commit's own
}

// parseEntry reads a record of `git ls-tree -r -z --long`.
func parseEntry(record string) (entry, error) {
	facts, name, ok := strings.Cut(record, "\t")
	parts := strings.Fields(facts)
	if !ok || name == "" || len(parts) != 4 {
		return entry{}, fmt.Errorf("git ls-tree: %q is no entry", record)
	}
	e := entry{mode: parts[0], id: parts[2], size: -1, name: name}
	if parts[3] == "-" {
		return e, nil
	}
	var err error
	if e.size, err = strconv.ParseInt(parts[3], 10, 64); err != nil || e.size < 0 {
		return entry{}, fmt.Errorf("git ls-tree: %q is no entry", record)
	}
	return e, nil
}

// objects reads a push's new objects beside those that a repository has.
type objects struct {
	r    *Repositories
	repo string
	env  []string
}

// list returns the files of a commit. The bounds are those of every upload, and
// hold before anything is unpacked: a few trees that name one another stand for
// millions of files.
func (o objects) list(ctx context.Context, commit string) ([]entry, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := o.r.command(ctx, o.repo, o.env, "ls-tree", "-r", "-z", "--long", "--full-tree", commit)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("git ls-tree: %w", err)
	}
	found, err := o.entries(bufio.NewReader(out))
	if err != nil {
		cancel()
		_ = cmd.Wait() // it was ended
		return nil, err
	}
	return found, failure("ls-tree", cmd.Wait())
}

func (o objects) entries(in *bufio.Reader) ([]entry, error) {
	var found []entry
	var total int64
	for {
		record, err := in.ReadString(0)
		if errors.Is(err, io.EOF) && record == "" {
			return found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("git ls-tree: %w", err)
		}
		e, err := parseEntry(strings.TrimSuffix(record, "\x00"))
		if err != nil {
			return nil, err
		}
		found = append(found, e)
		total += max(0, e.size)
		switch {
		case len(found) > o.r.opts.Entries:
			return nil, invalid("The commit has more than %d files. Take out what the app does not need (a venv, node_modules, data). Nothing was stored.", o.r.opts.Entries)
		case total > int64(o.r.opts.SourceMax):
			return nil, invalid("The files of the commit are larger than %s together, the largest app that is accepted. Take out data, virtual environments and build results. Nothing was stored.", o.r.opts.SourceMax)
		}
	}
}

// remarks are told to whoever pushes, a few of them by name.
type remarks struct {
	told []string
	more int
}

func (m *remarks) add(format string, name string) {
	if len(m.told) == maxRemarks {
		m.more++
		return
	}
	m.told = append(m.told, fmt.Sprintf(format, printable(name)))
}

func (m *remarks) all() []string {
	if m.more > 0 {
		return append(m.told, fmt.Sprintf("! … and %d more.", m.more))
	}
	return m.told
}

// pack makes the files of a commit an upload. What is no file is left out, as
// `kurama deploy` does, and told.
func (o objects) pack(ctx context.Context, branch, commit string) (p paas.Pushed, err error) {
	p = paas.Pushed{Branch: branch}
	if p.Commit, err = o.subject(ctx, commit); err != nil {
		return p, err
	}
	entries, err := o.list(ctx, commit)
	if err != nil {
		return p, err
	}
	var m remarks
	files := make([]entry, 0, len(entries))
	for _, e := range entries {
		switch e.mode {
		case "120000":
			m.add("! %s is left out: it is a symbolic link.", e.name)
		case "160000":
			m.add("! %s is left out: it is a submodule, whose files git does not push. An app that needs them has to have them in its own repository.", e.name)
		default:
			files = append(files, e)
		}
	}
	f, err := os.CreateTemp(o.r.opts.Temp, "upload-push-*")
	if err != nil {
		return p, fmt.Errorf("keeping a push: %w", err)
	}
	if err = errors.Join(o.write(ctx, f, files, &m), f.Close()); err != nil {
		return p, errors.Join(err, os.Remove(f.Name()))
	}
	p.Remarks = m.all()
	p.Upload = paas.Upload{Path: f.Name(), Type: paas.UploadZip, Name: branch + ".zip", Commit: p.Commit}
	return p, nil
}

// subject returns a commit as people name it: a short id and its first line.
func (o objects) subject(ctx context.Context, commit string) (string, error) {
	text, err := o.r.run(ctx, o.repo, o.env, "cat-file", "commit", commit)
	if err != nil {
		return "", err
	}
	_, message, _ := strings.Cut(text, "\n\n")
	first, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	subject := []rune(printable(first))
	if len(subject) > maxSubject {
		subject = append(subject[:maxSubject-1], '…')
	}
	return strings.TrimSpace(commit[:7] + " " + string(subject)), nil
}

// printable keeps what others wrote from steering a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
}

// write asks a git for the files, one after the other, and makes them a zip.
func (o objects) write(ctx context.Context, to io.Writer, files []entry, m *remarks) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := o.r.command(ctx, o.repo, o.env, "cat-file", "--batch")
	var ids bytes.Buffer
	for _, e := range files {
		ids.WriteString(e.id + "\n")
	}
	cmd.Stdin = &ids
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("git cat-file: %w", err)
	}
	archive, in := zip.NewWriter(to), bufio.NewReaderSize(out, 64<<10)
	for _, e := range files {
		if err := addFile(archive, in, e, m); err != nil {
			cancel()
			_ = cmd.Wait() // it was ended
			return err
		}
	}
	return errors.Join(failure("cat-file", cmd.Wait()), archive.Close())
}

// addFile copies one answer of `git cat-file --batch` into the archive. It is stored
// as it is: the zip lives for a moment, and packing costs CPU that the apps want.
func addFile(archive *zip.Writer, in *bufio.Reader, e entry, m *remarks) error {
	head, err := in.ReadString('\n')
	if want := fmt.Sprintf("%s blob %d\n", e.id, e.size); err != nil || head != want {
		return fmt.Errorf("git cat-file answered %q (%v), not %q", head, err, want)
	}
	h, mode := &zip.FileHeader{Name: e.name, Method: zip.Store}, fs.FileMode(0o644)
	if e.mode == "100755" {
		mode = 0o755
	}
	h.SetMode(mode)
	file, err := archive.CreateHeader(h)
	if err != nil {
		return fmt.Errorf("keeping a push: %w", err)
	}
	if begin, _ := in.Peek(len(lfsPointer)); e.size < 1024 && string(begin) == lfsPointer {
		m.add("! %s is a pointer of Git LFS and not the file itself, which git does not push here: the app gets the pointer. Keep the file in the repository, or use `kurama deploy` from a checkout.", e.name)
	}
	if _, err := io.CopyN(file, in, e.size); err != nil {
		return fmt.Errorf("keeping a push: %w", err)
	}
	_, err = in.Discard(1) // the line feed behind it
	return err
}
