package api_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"kurama/paas"
)

func zipOf(t *testing.T, name, content string) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create(name)
	must(t, err)
	_, err = io.WriteString(f, content)
	must(t, err)
	must(t, z.Close())
	return &b
}

// form returns a multipart body of files by path, and its content type.
func form(t *testing.T, files [][2]string) (*bytes.Buffer, string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for _, f := range files {
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"; filename="x"`, f[0]))
		part, err := m.CreatePart(h)
		must(t, err)
		_, err = io.WriteString(part, f[1])
		must(t, err)
	}
	must(t, m.Close())
	return &b, m.FormDataContentType()
}

func TestUpload(t *testing.T) {
	w := newWorld(t)
	post := func(app string, body io.Reader, headers ...string) *http.Response {
		return w.send("developer", "POST", "/api/v1/apps/"+app+"/releases", body, headers...)
	}
	nothingLeft := func(t *testing.T, app string) {
		t.Helper()
		if left := w.uploads(); len(left) > 0 {
			t.Errorf("uploads left: %v", left)
		}
		if _, err := w.store.App(t.Context(), "default", app); !errors.Is(err, paas.ErrNotFound) {
			t.Errorf("app %s: %v", app, err)
		}
	}

	t.Run("a zip makes the app and its first release", func(t *testing.T) {
		z := zipOf(t, "app.py", "app = 1").Bytes()
		r := read[paas.Release](t, post("fresh", bytes.NewReader(z), "Content-Type", "application/zip", "X-Filename", "m%C3%A4in.zip"), 202)
		if r.Number != 1 || r.State != paas.ReleaseBuilding || r.CreatedBy != "developer" {
			t.Errorf("got %+v", r)
		}
		if w.fakes.upload.Type != paas.UploadZip || w.fakes.upload.Name != "mäin.zip" || !bytes.Equal(w.fakes.content, z) {
			t.Errorf("got %+v", w.fakes.upload)
		}
		if left := w.uploads(); len(left) > 0 {
			t.Errorf("uploads left: %v", left)
		}
	})
	t.Run("the first bytes say what it is", func(t *testing.T) {
		for _, c := range []struct {
			body, media, name string
			want              paas.UploadType
		}{
			{zipOf(t, "a", "b").String(), "application/octet-stream", "x.py", paas.UploadZip},
			{"\x1f\x8b\x08rest", "", "", paas.UploadTarGz},
			{"from flask import Flask", "text/x-python", "", paas.UploadPy},
			{"x=1", "application/octet-stream", `C:\work\main.py`, paas.UploadPy},
		} {
			want(t, post("fresh", strings.NewReader(c.body), "Content-Type", c.media, "X-Filename", c.name), 202)
			if w.fakes.upload.Type != c.want || strings.ContainsAny(w.fakes.upload.Name, `/\`) {
				t.Errorf("%q: got %+v", c.body[:3], w.fakes.upload)
			}
		}
	})
	t.Run("a folder becomes a zip as it arrives", func(t *testing.T) {
		body, media := form(t, [][2]string{{"site/app.py", "app = 1"}, {`site/a%22b/ü.txt`, strings.Repeat("x", 5000)}, {"../up", "hostile"}})
		want(t, post("fresh", body, "Content-Type", media), 202)
		z, err := zip.NewReader(bytes.NewReader(w.fakes.content), int64(len(w.fakes.content)))
		must(t, err)
		var names []string
		for _, f := range z.File {
			names = append(names, f.Name)
		}
		// What is hostile about a name is found where archives are unpacked.
		if got := strings.Join(names, " "); got != `site/app.py site/a"b/ü.txt ../up` {
			t.Errorf("got %s", got)
		}
	})
	t.Run("over the limit nothing stays", func(t *testing.T) {
		big := strings.Repeat("x", 65<<10)
		for name, resp := range map[string]*http.Response{
			"announced": post("big", strings.NewReader("PK\x03\x04"+big)),
			"chunked":   post("big", io.MultiReader(strings.NewReader("PK\x03\x04"+big))),
		} {
			if body := want(t, resp, 413); !strings.Contains(body, "64KiB") {
				t.Errorf("%s: %s", name, body)
			}
		}
		body, media := form(t, [][2]string{{"a", "small"}, {"b", big}})
		want(t, post("big", io.MultiReader(body), "Content-Type", media), 413)
		nothingLeft(t, "big")
	})
	t.Run("what is no app is refused with a sentence", func(t *testing.T) {
		many := make([][2]string, 21)
		for i := range many {
			many[i] = [2]string{fmt.Sprintf("f%d", i), "x"}
		}
		folder, media := form(t, many)
		nameless, media2 := form(t, [][2]string{{"dir/", "x"}})
		for part, resp := range map[string]*http.Response{
			"empty":                  post("bad", strings.NewReader("")),
			"notes.txt is not a zip": post("bad", strings.NewReader("hello"), "X-Filename", "notes.txt"),
			"more than 20 files":     post("bad", folder, "Content-Type", media),
			`named \"dir/\"`:         post("bad", nameless, "Content-Type", media2),
			"The form is empty":      post("bad", strings.NewReader("--x--\r\n"), "Content-Type", "multipart/form-data; boundary=x"),
			"no boundary":            post("bad", strings.NewReader("x"), "Content-Type", "multipart/form-data"),
			"cannot be the name":     post("Bad_Name", strings.NewReader("PK\x03\x04")),
		} {
			if body := want(t, resp, 422); !strings.Contains(body, part) {
				t.Errorf("no %q in %s", part, body)
			}
		}
		nothingLeft(t, "bad")
	})
	t.Run("an upload that breaks off leaves nothing", func(t *testing.T) {
		u, _ := url.Parse(w.srv.URL)
		conn, err := net.Dial("tcp", u.Host)
		must(t, err)
		_, err = fmt.Fprintf(conn, "POST /api/v1/apps/broken/releases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 5000\r\n\r\nPK\x03\x04", w.tokens["developer"])
		must(t, err)
		must(t, conn.(*net.TCPConn).CloseWrite())
		answer, _ := io.ReadAll(conn)
		if !strings.HasPrefix(string(answer), "HTTP/1.1 400") || !strings.Contains(string(answer), "broke off") {
			t.Errorf("got %s", answer)
		}
		nothingLeft(t, "broken")
	})
	t.Run("what the deployer refuses takes the new app back", func(t *testing.T) {
		defer func() { w.fakes.fail = nil }()
		w.fakes.fail = &paas.Invalid{Reason: "the archive holds a path that leaves its folder"}
		want(t, post("refused", zipOf(t, "a", "b")), 422)
		w.fakes.fail = fmt.Errorf("unpacking: %w", syscall.ENOSPC)
		if body := want(t, post("refused", zipOf(t, "a", "b")), 507); !strings.Contains(body, "disk is full") {
			t.Errorf("got %s", body)
		}
		w.fakes.fail = errors.New("secret detail")
		if body := want(t, post("refused", zipOf(t, "a", "b")), 500); strings.Contains(body, "secret") {
			t.Errorf("got %s", body)
		}
		nothingLeft(t, "refused")
		want(t, post("default-app", zipOf(t, "a", "b")), 500)
		if _, err := w.store.App(t.Context(), "default", "default-app"); err != nil {
			t.Error(err)
		}
	})
}
