// Command image writes the program and the host's certificates as an OCI image
// layout in a tar, without a container engine. Engines before 25.0 load it too:
// the archive also has the manifest.json of `docker save`.
//
//	go run ./packaging/image -tag kurama:1.0 -arch amd64 -out kurama-image.tar.gz kurama=dist/kurama etc/ssl/certs/ca-certificates.crt=/etc/ssl/certs/ca-certificates.crt
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

func main() {
	tag := flag.String("tag", "kurama:latest", "name of the image")
	arch := flag.String("arch", "amd64", "architecture of the program")
	out := flag.String("out", "image.tar.gz", "file to write")
	made := flag.Int64("time", 0, "seconds since the epoch that everything in the image bears")
	flag.Parse()
	if err := run(*tag, *arch, *out, time.Unix(*made, 0).UTC(), flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(tag, arch, out string, made time.Time, files []string) error {
	var image bytes.Buffer
	if err := write(&image, tag, arch, made, files); err != nil {
		return err
	}
	return os.WriteFile(out, image.Bytes(), 0o644)
}

// write writes the image: one layer, whose first file is the program.
func write(w io.Writer, tag, arch string, made time.Time, files []string) error {
	if len(files) == 0 {
		return errors.New("no files are named")
	}
	plain, err := layer(files, made)
	if err != nil {
		return err
	}
	program, _, _ := strings.Cut(files[0], "=")
	packed := blob{media: v1.MediaTypeImageLayerGzip, data: zipped(plain)}
	config, err := asBlob(v1.MediaTypeImageConfig, v1.Image{
		Created: &made, Platform: v1.Platform{Architecture: arch, OS: "linux"},
		Config: v1.ImageConfig{Entrypoint: []string{"/" + program}},
		RootFS: v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromBytes(plain)}},
	})
	if err != nil {
		return err
	}
	manifest, err := asBlob(v1.MediaTypeImageManifest, v1.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest,
		Config: config.describe(), Layers: []v1.Descriptor{packed.describe()}})
	if err != nil {
		return err
	}
	entry := manifest.describe()
	entry.Annotations = map[string]string{v1.AnnotationRefName: tag, "io.containerd.image.name": "docker.io/library/" + tag}
	a := &archive{made: made, tar: tar.NewWriter(w)}
	a.json(v1.ImageLayoutFile, v1.ImageLayout{Version: v1.ImageLayoutVersion})
	a.json(v1.ImageIndexFile, v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{entry}})
	a.json("manifest.json", []map[string]any{{"Config": config.place(), "RepoTags": []string{tag}, "Layers": []string{packed.place()}}})
	for _, b := range []blob{packed, config, manifest} {
		a.file(b.place(), b.data)
	}
	return errors.Join(a.err, a.tar.Close())
}

// blob is a part of an image, known by its digest.
type blob struct {
	media string
	data  []byte
}

func asBlob(media string, v any) (blob, error) {
	data, err := json.Marshal(v)
	return blob{media, data}, err
}

func (b blob) describe() v1.Descriptor {
	return v1.Descriptor{MediaType: b.media, Digest: digest.FromBytes(b.data), Size: int64(len(b.data))}
}

func (b blob) place() string {
	sum := sha256.Sum256(b.data)
	return path.Join(v1.ImageBlobsDir, "sha256", hex.EncodeToString(sum[:]))
}

// layer is a tar of files, each NAME=FILE, and the folders that they are in.
func layer(files []string, made time.Time) ([]byte, error) {
	var out bytes.Buffer
	a := &archive{made: made, tar: tar.NewWriter(&out)}
	for _, f := range files {
		name, from, ok := strings.Cut(f, "=")
		if !ok || !filepath.IsLocal(name) || path.Clean(name) != name {
			return nil, fmt.Errorf("%q is not NAME=FILE", f)
		}
		data, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		a.file(name, data)
	}
	return out.Bytes(), errors.Join(a.err, a.tar.Close())
}

// archive writes files that all bear the same time, so that the same content
// gives the same image.
type archive struct {
	made    time.Time
	tar     *tar.Writer
	folders map[string]bool
	err     error // the first
}

func (a *archive) json(name string, v any) {
	data, err := json.Marshal(v)
	a.err = errors.Join(a.err, err)
	a.file(name, data)
}

func (a *archive) file(name string, data []byte) {
	for i, r := range name {
		if r == '/' {
			a.folder(name[:i])
		}
	}
	a.put(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(data)), Typeflag: tar.TypeReg, ModTime: a.made}, data)
}

func (a *archive) folder(name string) {
	if a.folders == nil {
		a.folders = map[string]bool{}
	}
	if !a.folders[name] {
		a.folders[name] = true
		a.put(&tar.Header{Name: name + "/", Mode: 0o755, Typeflag: tar.TypeDir, ModTime: a.made}, nil)
	}
}

func (a *archive) put(h *tar.Header, data []byte) {
	if a.err != nil {
		return
	}
	if a.err = a.tar.WriteHeader(h); a.err == nil {
		_, a.err = a.tar.Write(data)
	}
}

func zipped(data []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(data) // into memory
	_ = z.Close()
	return out.Bytes()
}
