package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// contents reads a tar.
func contents(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if found[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestImage(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("#!"), 0o755); err != nil {
		t.Fatal(err)
	}
	made := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	image := func() []byte {
		var out bytes.Buffer
		if err := write(&out, "kurama:1.0", "amd64", made, []string{"kurama=" + program, "etc/ssl/cert=" + program}); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	first := image()
	files := contents(t, first)
	t.Run("each blob is what its name says", func(t *testing.T) {
		blobs := 0
		for name, data := range files {
			if sum, ok := strings.CutPrefix(name, "blobs/sha256/"); ok && sum != "" {
				blobs++
				if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != sum {
					t.Errorf("%s is something else", name)
				}
			}
		}
		if blobs != 3 || string(files["oci-layout"]) != `{"imageLayoutVersion":"1.0.0"}` {
			t.Errorf("%d blobs, %s", blobs, files["oci-layout"])
		}
	})
	t.Run("the index leads to the program", func(t *testing.T) {
		var index v1.Index
		var manifest v1.Manifest
		var config v1.Image
		blob := func(d v1.Descriptor) []byte { return files["blobs/sha256/"+d.Digest.Encoded()] }
		if err := errors.Join(json.Unmarshal(files["index.json"], &index), json.Unmarshal(blob(index.Manifests[0]), &manifest), json.Unmarshal(blob(manifest.Config), &config)); err != nil {
			t.Fatal(err)
		}
		if config.Config.Entrypoint[0] != "/kurama" || int64(len(blob(manifest.Layers[0]))) != manifest.Layers[0].Size {
			t.Errorf("%+v %+v", config, manifest)
		}
	})
	t.Run("the same files give the same image", func(t *testing.T) {
		if !bytes.Equal(first, image()) {
			t.Error("they differ")
		}
	})
	t.Run("a file that is named wrongly is refused", func(t *testing.T) {
		for _, bad := range []string{"kurama", "/kurama=" + program, "../x=" + program, "kurama=/nowhere"} {
			if write(io.Discard, "x", "amd64", made, []string{bad}) == nil {
				t.Errorf("%s passes", bad)
			}
		}
	})
}
