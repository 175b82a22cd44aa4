package client

import (
	"archive/zip"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kurama/paas"
)

// alwaysIgnored is what no app needs: it is made again on the platform, or
// belongs to tools.
const alwaysIgnored = ".git/\n.hg/\n.svn/\n__pycache__/\n*.pyc\n.venv/\nvenv/\nnode_modules/\n.mypy_cache/\n.pytest_cache/\n.ruff_cache/\n.tox/\n.DS_Store\n.idea/\n.vscode/\n"

// Packed is an app as it is sent.
type Packed struct {
	Path        string // file to send
	ContentType string
	FileName    string
	Files       int      // 0: it was one file already
	Bytes       int64    // size of what is sent
	LeftOut     []string // links and other files that are no files
	temporary   bool
}

// Close removes what was made for sending.
func (p *Packed) Close() error {
	if p.temporary {
		return os.Remove(p.Path)
	}
	return nil
}

// Pack makes what lies at path ready to be sent: a folder becomes a zip, a zip,
// a tar.gz or a Python file stays as it is. The caller closes it.
func Pack(path string) (*Packed, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s does not exist. Name a folder, a zip, a tar.gz or a Python file", path)
	}
	if err != nil {
		return nil, fmt.Errorf("packing %s: %w", path, err)
	}
	if info.IsDir() {
		return packFolder(path)
	}
	media := "application/octet-stream" // the platform looks at the content
	if strings.HasSuffix(strings.ToLower(path), ".py") {
		media = "text/x-python"
	}
	return &Packed{Path: path, ContentType: media, FileName: filepath.Base(path), Bytes: info.Size()}, nil
}

func packFolder(dir string) (p *Packed, err error) {
	f, err := os.CreateTemp("", "kurama-deploy-*.zip")
	if err != nil {
		return nil, fmt.Errorf("packing %s: %w", dir, err)
	}
	p = &Packed{Path: f.Name(), ContentType: "application/zip", FileName: filepath.Base(dir) + ".zip", temporary: true}
	defer func() {
		if err != nil {
			_ = p.Close()
			p = nil
		}
	}()
	z := zip.NewWriter(f)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	walked := p.walk(dir, z)
	if err := errors.Join(walked, z.Close()); err != nil {
		_ = f.Close()
		return p, fmt.Errorf("packing %s: %w", dir, err)
	}
	if p.Bytes, err = f.Seek(0, io.SeekEnd); err != nil {
		_ = f.Close()
		return p, fmt.Errorf("packing %s: %w", dir, err)
	}
	if err := f.Close(); err != nil {
		return p, fmt.Errorf("packing %s: %w", dir, err)
	}
	if p.Files == 0 {
		return p, fmt.Errorf("%s holds no file to send. Look at its .kuramaignore and .gitignore", dir)
	}
	return p, nil
}

// walk adds the files of dir that are not ignored.
func (p *Packed) walk(dir string, z *zip.Writer) error {
	ignore := paas.ParseIgnore(alwaysIgnored, readIgnore(dir, ".gitignore"), readIgnore(dir, ".kuramaignore"))
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		switch {
		case ignore.Match(name, entry.IsDir()) && entry.IsDir():
			return fs.SkipDir
		case ignore.Match(name, entry.IsDir()) || entry.IsDir():
			return nil
		case !entry.Type().IsRegular():
			p.LeftOut = append(p.LeftOut, name)
			return nil
		}
		p.Files++
		return addFile(z, path, name, entry)
	})
}

func addFile(z *zip.Writer, path, name string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	header, err := zip.FileInfoHeader(info)
	if err != nil {
		return err
	}
	header.Name, header.Method = name, zip.Deflate
	w, err := z.CreateHeader(header)
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = io.Copy(w, f)
	return err
}

// readIgnore returns a file of patterns, empty where there is none.
func readIgnore(dir, name string) string {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return string(text)
}

// AppName makes a name for an app of the name of its folder or file, or "".
func AppName(path string) string {
	base := strings.ToLower(filepath.Base(path))
	for _, end := range []string{".zip", ".tar.gz", ".tgz", ".py"} {
		base = strings.TrimSuffix(base, end)
	}
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, base)
	name = strings.TrimLeft(name, "-0123456789")
	return strings.Trim(name[:min(len(name), 40)], "-")
}
