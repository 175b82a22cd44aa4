package build

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
)

// registry serves one image as registries do (OCI distribution, version 2).
type registry struct {
	dir       string
	manifest  []byte
	manifests atomic.Int64 // asked for
	blobs     atomic.Int64
}

const (
	manifestType = "application/vnd.docker.distribution.manifest.v2+json"
	configType   = "application/vnd.docker.container.image.v1+json"
	layerType    = "application/vnd.docker.image.rootfs.diff.tar.gzip"
)

type blob struct {
	MediaType string `json:"mediaType"`
	Size      int64  `json:"size"`
	Digest    string `json:"digest"`
}

// store keeps a blob under its digest.
func (r *registry) store(t *testing.T, media string, from io.Reader) blob {
	t.Helper()
	f, err := os.CreateTemp(r.dir, "blob-")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), from)
	if err != nil {
		t.Fatal(err)
	}
	digest := "sha256:" + hex.EncodeToString(sum.Sum(nil))
	if err := os.Rename(f.Name(), filepath.Join(r.dir, digest)); err != nil {
		t.Fatal(err)
	}
	return blob{MediaType: media, Size: n, Digest: digest}
}

// load takes an image over from the engine.
func (r *registry) load(t *testing.T, b *Builder, ref string) {
	t.Helper()
	saved, err := b.opts.Docker.ImageSave(t.Context(), []string{ref})
	if err != nil {
		t.Fatal(err)
	}
	defer saved.Close()
	stored := map[string]blob{}
	var listed []struct {
		Config string
		Layers []string
	}
	for files := tar.NewReader(saved); ; {
		h, err := files.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case h.Name == "manifest.json":
			if err := json.NewDecoder(files).Decode(&listed); err != nil {
				t.Fatal(err)
			}
		case h.Typeflag == tar.TypeReg:
			stored[h.Name] = r.store(t, layerType, files)
		}
	}
	config := stored[listed[0].Config]
	config.MediaType = configType
	layers := make([]blob, len(listed[0].Layers))
	for i, name := range listed[0].Layers {
		layers[i] = stored[name]
	}
	if r.manifest, err = json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": manifestType, "config": config, "layers": layers}); err != nil {
		t.Fatal(err)
	}
}

// ServeHTTP answers what an engine asks to pull an image.
func (r *registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	switch path := req.URL.Path; {
	case path == "/v2/":
	case strings.HasPrefix(path, "/v2/python/manifests/"):
		r.manifests.Add(1)
		w.Header().Set("Content-Type", manifestType)
		w.Header().Set("Docker-Content-Digest", fmt.Sprintf("sha256:%x", sha256.Sum256(r.manifest)))
		w.Header().Set("Content-Length", fmt.Sprint(len(r.manifest)))
		_, _ = w.Write(r.manifest)
	case strings.HasPrefix(path, "/v2/python/blobs/"):
		r.blobs.Add(1)
		http.ServeFile(w, req, filepath.Join(r.dir, filepath.Base(path)))
	default:
		http.NotFound(w, req)
	}
}

// bare makes an image that has Python and pip, but neither Flask nor gunicorn,
// as the official one.
func bare(t *testing.T, b *Builder, ref string) {
	t.Helper()
	boot, ok := b.knownBootstrap(t.Context())
	if !ok {
		t.Fatal("there is no bootstrapped image to begin with")
	}
	const strip = `cd /usr/lib/python3/dist-packages && rm -rf [Ff]lask* gunicorn* [Ww]erkzeug* && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED && ! python3 -c "import flask"`
	end, err := b.run(t.Context(), step{
		config: &container.Config{Image: boot, User: "0:0", Entrypoint: noEntrypoint, Cmd: []string{"/bin/sh", "-c", strip}},
		host:   &container.HostConfig{NetworkMode: "none"},
		keep: func(ctx context.Context, id string) error {
			_, err := b.opts.Docker.ContainerCommit(ctx, id, container.CommitOptions{Reference: ref, Changes: plainStart})
			return err
		},
	}, func(l string) { t.Log(l) })
	if err != nil || end.code != 0 {
		t.Fatalf("%+v, %v", end, err)
	}
}

func TestRegistry(t *testing.T) {
	r := &registry{dir: t.TempDir()}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	b := newBuilder(t, nil)
	debian, _ := b.knownBootstrap(t.Context())
	b.official = server.Listener.Addr().String() + "/python:3-slim"
	bare(t, b, b.official)
	r.load(t, b, b.official)
	forget := func(ref string) {
		t.Helper()
		if _, err := b.opts.Docker.ImageRemove(context.Background(), ref, image.RemoveOptions{}); err != nil {
			t.Error(err)
		}
	}
	forget(b.official)

	var lines []string
	id, err := b.makeBootstrap(t.Context(), logged(t, &lines))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { forget(b.bootstrapTags()[0]); forget(b.official) })
	if id == debian || len(lines) != 1 || lines[0] != "Pulling "+b.official+". This is done once." || r.blobs.Load() < 2 {
		t.Fatalf("got %s, %q, %d blobs were pulled", id, lines, r.blobs.Load())
	}

	t.Run("its Flask and gunicorn come from the host's index", func(t *testing.T) {
		base, err := b.ready(t.Context(), logged(t, &lines))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { forget(base.image) })
		former, err := newBuilder(t, nil).ready(t.Context(), logged(t, &lines))
		if err != nil {
			t.Fatal(err)
		}
		if base.bootstrap != id || base.packages["flask"] == "" || base.packages["flask"] == former.packages["flask"] {
			t.Errorf("got %s with Flask %q, Debian's is %q", base.bootstrap, base.packages["flask"], former.packages["flask"])
		}
		end, err := b.run(t.Context(), step{
			config: &container.Config{Image: base.image, User: "20001", Cmd: []string{"python3", "-c", "import flask, gunicorn, kurama"}},
			host:   &container.HostConfig{NetworkMode: "none"},
		}, logged(t, &lines))
		if err != nil || end.code != 0 {
			t.Errorf("got %+v, %v", end, err)
		}
	})
	t.Run("is asked once", func(t *testing.T) {
		asked := r.manifests.Load()
		if again, err := b.bootstrap(t.Context(), logged(t, &lines)); err != nil || again != id || r.manifests.Load() != asked {
			t.Errorf("got %s, %v after %d more questions", again, err, r.manifests.Load()-asked)
		}
	})
}
