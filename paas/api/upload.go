package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kurama/internal/config"
	"kurama/paas"
)

// Bounds of an upload as it arrives.
const (
	uploadPatience = time.Minute // without a byte, then it is given up
	staleUpload    = time.Hour   // a file older than this was left by a crash
)

type upload struct {
	InApp
	Canary   int    `query:"canary" minimum:"0" maximum:"99" doc:"Percent of the clients that get the release, until it is promoted or ended; 0: it goes live"`
	Filename string `header:"X-Filename" doc:"Name of the file as its owner knows it, percent-encoded"`
}

func (a *API) uploadRoutes() {
	op := huma.Operation{OperationID: "deploy", Method: http.MethodPost, Path: "/apps/{app}/releases",
		Summary: "Upload an app and deploy it; makes the app when it is new", DefaultStatus: http.StatusAccepted}
	register(a, op, paas.RoleDeveloper, a.deploy)
	// Described afterwards: a body that huma knows of is one that it reads into
	// memory.
	binary := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	a.huma.OpenAPI().Paths[op.Path].Post.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/zip": binary, "application/gzip": binary, "text/x-python": binary,
		"multipart/form-data": {Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: binary.Schema,
			Description: "The files of a folder; the name of each part is its path"}}}}
}

func (a *API) deploy(ctx context.Context, in *upload) (*answer[paas.Release], error) {
	c := callOf(ctx)
	if err := paas.CheckName("an app", in.App); err != nil {
		return nil, &paas.Invalid{Reason: err.Error()}
	}
	up, err := a.receive(c, in.Filename)
	if err != nil {
		return nil, err
	}
	up.Canary = in.Canary
	release, err := a.begin(ctx, c, in.App, up)
	return reply(release), err
}

// begin makes the app where it is new, and begins its deploy. The upload is gone
// where that fails, and so is a new app.
func (a *API) begin(ctx context.Context, c *call, app string, up paas.Upload) (paas.Release, error) {
	_, err := a.deps.Store.CreateApp(ctx, c.tenant, app)
	isNew := err == nil
	if err != nil && !errors.Is(err, paas.ErrExists) {
		_ = os.Remove(up.Path)
		return paas.Release{}, err
	}
	// From here on the deploy goes on without its caller.
	ctx = context.WithoutCancel(ctx)
	release, err := a.deps.Deployer.Deploy(ctx, c.tenant, app, c.User, up)
	if err != nil {
		_ = os.Remove(up.Path)
		a.removeIfEmpty(ctx, isNew, c.tenant, app)
	}
	return release, err
}

// removeIfEmpty takes an app back that was made for an upload that came to
// nothing.
func (a *API) removeIfEmpty(ctx context.Context, isNew bool, tenant, app string) {
	if !isNew {
		return
	}
	releases, err := a.deps.Store.Releases(ctx, tenant, app, 1)
	if err == nil && len(releases) == 0 {
		err = a.deps.Store.DeleteApp(ctx, tenant, app)
	}
	if err != nil && !isNotFound(err) {
		a.log.Warn("an app without a release stays", "tenant", tenant, "app", app, "err", err)
	}
}

// receive keeps the body of c in a file as it arrives. On any failure the file
// is gone.
func (a *API) receive(c *call, name string) (up paas.Upload, err error) {
	if c.r.ContentLength > int64(a.cfg.MaxUpload) {
		return up, tooLarge(a.cfg.MaxUpload)
	}
	f, err := os.CreateTemp(a.uploads, "upload-*")
	if err != nil {
		return up, fmt.Errorf("keeping an upload: %w", err)
	}
	defer func() {
		if closing := f.Close(); err == nil {
			err = closing
		}
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	up, err = a.keep(f, c, fileName(name))
	up.Path = f.Name()
	return up, err
}

func (a *API) keep(f *os.File, c *call, name string) (paas.Upload, error) {
	body := &cappedReader{r: c.r.Body, left: int64(a.cfg.MaxUpload), limit: a.cfg.MaxUpload, control: c.control()}
	defer func() { _ = c.control().SetReadDeadline(time.Time{}) }()
	media, params, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if media == "multipart/form-data" {
		return paas.Upload{Type: paas.UploadZip, Name: "folder.zip"}, writeFolder(f, body, params["boundary"], a.deps.MaxEntries)
	}
	in := bufio.NewReaderSize(body, 64<<10)
	kind, err := sniff(in, media, name)
	if err != nil {
		return paas.Upload{}, err
	}
	if _, err := io.Copy(f, in); err != nil {
		return paas.Upload{}, err
	}
	if name == "" {
		name = map[paas.UploadType]string{paas.UploadZip: "app.zip", paas.UploadTarGz: "app.tar.gz", paas.UploadPy: "app.py"}[kind]
	}
	return paas.Upload{Type: kind, Name: name}, nil
}

// sniff says what is being sent. The first bytes decide: a name or a media type
// may be wrong, and a zip that is taken for Python fails with a riddle.
func sniff(in *bufio.Reader, media, name string) (paas.UploadType, error) {
	head, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	switch {
	case len(head) == 0:
		return "", &paas.Invalid{Reason: "Nothing was sent: the upload is empty. Send a zip, a tar.gz, a folder or one Python file."}
	case bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return paas.UploadZip, nil
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return paas.UploadTarGz, nil
	case media == "text/x-python" || strings.HasSuffix(strings.ToLower(name), ".py"):
		return paas.UploadPy, nil
	}
	return "", &paas.Invalid{Reason: fmt.Sprintf("%s is not a zip, a tar.gz or a Python file. Send one of these, or the folder itself.", nameOr(name))}
}

func nameOr(name string) string {
	if name == "" {
		return "What was sent"
	}
	return name
}

// fileName returns the last part of a name as sent: it is shown, and never
// used as a path.
func fileName(sent string) string {
	if plain, err := url.PathUnescape(sent); err == nil {
		sent = plain
	}
	sent = path.Base(strings.ReplaceAll(strings.ToValidUTF8(sent, ""), `\`, "/"))
	if sent == "." || sent == "/" || len(sent) > 255 {
		return ""
	}
	return sent
}

// cappedReader ends with an error after limit bytes, and when nothing comes for
// uploadPatience.
type cappedReader struct {
	r       io.Reader
	left    int64
	limit   config.Bytes
	control *http.ResponseController
}

// Read reads from the body.
func (c *cappedReader) Read(p []byte) (int, error) {
	_ = c.control.SetReadDeadline(time.Now().Add(uploadPatience))
	n, err := c.r.Read(p)
	c.left -= int64(n)
	switch {
	case c.left < 0:
		return 0, tooLarge(c.limit)
	case err != nil && !errors.Is(err, io.EOF):
		return n, newProblem(http.StatusBadRequest, "The upload broke off before its end; nothing was stored. Send it again.")
	}
	return n, err
}

func tooLarge(limit config.Bytes) error {
	return newProblem(http.StatusRequestEntityTooLarge, fmt.Sprintf(
		"The upload is larger than %s; nothing was stored. Leave out what the app does not need (a venv, data, .git), or have console.max_upload raised.", limit))
}

// removeStaleUploads deletes what a crash has left. Younger files may belong to
// a deploy that is under way.
func (a *API) removeStaleUploads() error {
	files, err := filepath.Glob(filepath.Join(a.uploads, "upload-*"))
	if err != nil {
		return err
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || time.Since(info.ModTime()) < staleUpload {
			continue
		}
		if err := os.Remove(file); err != nil {
			return fmt.Errorf("removing an upload that a crash left: %w", err)
		}
	}
	return nil
}
