package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kurama/paas"
)

// askTimeout bounds how long a download waits for the role to seal what is new.
const askTimeout = 5 * time.Second

// Reader is the read side of the archive. It may work in another process than
// the role, and is safe for concurrent use.
type Reader struct {
	dir    string
	client *http.Client // nil without a socket
	log    *slog.Logger
}

// NewReader returns the read side of the archive in dir; socket is the path of
// the role's Unix socket, "" for none.
func NewReader(dir, socket string, log *slog.Logger) *Reader {
	r := &Reader{dir: dir, log: log}
	if socket != "" {
		var dialer net.Dialer
		r.client = &http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, "unix", socket)
			},
			DisableKeepAlives: true, // a kept connection would be dead after the role's restart
		}}
	}
	return r
}

// Listing is what the archive holds of one app. From and To are nil while it
// holds nothing.
type Listing struct {
	Files   []File     `json:"files"`
	From    *time.Time `json:"from"`
	To      *time.Time `json:"to"`
	Records int        `json:"records"`
	Bytes   int64      `json:"bytes"`
	Removed int        `json:"removed_records"` // records that went because the tenant's archive was full
}

// List returns the sealed files of an app, oldest first; tenant and app both
// empty: the host's samples. A name that is no name is a *paas.Invalid.
func (r *Reader) List(tenant, app string) (Listing, error) {
	_, m, err := r.open(tenant, app)
	if err != nil {
		return Listing{}, err
	}
	list := Listing{Files: m.Files, Removed: m.Removed}
	if list.Files == nil {
		list.Files = []File{}
	}
	for i := range m.Files {
		f := &m.Files[i]
		list.Records, list.Bytes = list.Records+f.Records, list.Bytes+f.Bytes
		if list.From == nil || f.From.Before(*list.From) {
			list.From = &f.From
		}
		if list.To == nil || f.To.After(*list.To) {
			list.To = &f.To
		}
	}
	return list, nil
}

// open returns the folder and the manifest of an app, whose names are checked
// before they become a path.
func (r *Reader) open(tenant, app string) (folder string, m Manifest, err error) {
	name := hostFolder
	if tenant != "" || app != "" {
		for what, n := range map[string]string{"a tenant": tenant, "an app": app} {
			if err := paas.CheckName(what, n); err != nil {
				return "", m, &paas.Invalid{Reason: err.Error()}
			}
		}
		name = tenant + "/" + app
	}
	folder = filepath.Join(r.dir, filepath.FromSlash(name))
	m, err = readManifest(folder)
	for i := range m.Files {
		if n := m.Files[i].Name; !filepath.IsLocal(n) || !strings.HasSuffix(n, suffix) {
			return "", Manifest{}, fmt.Errorf("the manifest in %s lists %q, which is not a name of a file below it", folder, n)
		}
	}
	return folder, m, err
}

// seal asks the role to seal what is new. Where it does not within a few
// seconds, the download holds what is sealed.
func (r *Reader) seal(ctx context.Context, tenant, app string) {
	if r.client == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	err := func() error {
		query := url.Values{"tenant": {tenant}, "app": {app}}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://archive/seal?"+query.Encode(), nil)
		if err != nil {
			return err
		}
		resp, err := r.client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusNoContent {
			reason, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
			return errors.New(strings.TrimSpace(string(reason)))
		}
		return nil
	}()
	if err != nil {
		r.log.Warn("a download holds only what is sealed", "tenant", tenant, "app", app, "error", err)
	}
}

// opened is a sealed file that stays readable when it is joined or expires.
type opened struct {
	File
	file *os.File
}

// openFiles opens the files that may hold records from from to to. A file that
// goes while they are opened was joined or expired: the manifest is read again.
func (r *Reader) openFiles(tenant, app string, from, to time.Time) ([]opened, Manifest, error) {
	for try := 0; ; try++ {
		folder, m, err := r.open(tenant, app)
		if err != nil {
			return nil, m, err
		}
		var files []opened
		for i := range m.Files {
			f := &m.Files[i]
			if !from.IsZero() && f.To.Before(from) || !to.IsZero() && !f.From.Before(to) {
				continue
			}
			var file *os.File
			if file, err = os.Open(filepath.Join(folder, f.Name)); err != nil {
				break
			}
			files = append(files, opened{File: *f, file: file})
		}
		if err == nil {
			return files, m, nil
		}
		closeFiles(files)
		if try == 5 || !errors.Is(err, os.ErrNotExist) {
			return nil, m, fmt.Errorf("opening an archive file: %w", err)
		}
	}
}

func closeFiles(files []opened) {
	for i := range files {
		_ = files[i].file.Close()
	}
}
