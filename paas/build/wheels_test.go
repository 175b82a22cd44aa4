package build

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kurama/internal/config"
)

func TestKeepWheels(t *testing.T) {
	b := &Builder{cfg: config.Build{CacheMax: 2500}, opts: Options{Data: t.TempDir()}}
	folder, err := b.wheelsOf("acme")
	if err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(b.opts.Data, "precious")
	if err := errors.Join(os.Mkdir(outside, 0o755), os.WriteFile(filepath.Join(outside, "old"), nil, 0o600), os.Symlink(outside, filepath.Join(folder, "link"))); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"a/old", "b/middle", "c/new"} {
		at := time.Now().Add(time.Duration(i-10) * time.Hour)
		path := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(strings.Repeat("x", 1000)), 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.keepWheels(folder); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"acme/a/old": false, "acme/b/middle": true, "acme/c/new": true, "../precious/old": true} {
		if _, err := os.Stat(filepath.Join(b.wheels(), name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	past := time.Now().Add(-wheelsUnused - time.Hour)
	if err := errors.Join(os.Chtimes(folder, past, past), b.dropUnusedWheels()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("what nobody uses is kept")
	}
}

func TestRemoveTenant(t *testing.T) {
	b := &Builder{cfg: config.Build{CacheMax: 1}, opts: Options{Data: t.TempDir()}}
	others := []string{"wheels/x-acme", "layers/12ab-x-acme", "layers/12ab-acme-x", "layers/12ab"}
	for _, name := range append(others, "wheels/acme", "layers/12ab-acme", "layers/34cd-acme.tmp") {
		if err := os.MkdirAll(filepath.Join(b.opts.Data, name, "deps"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if b.RemoveTenant("..") == nil {
		t.Error("what is no tenant's name is taken")
	}
	if err := b.RemoveTenant("acme"); err != nil {
		t.Fatal(err)
	}
	for _, name := range others {
		if _, err := os.Stat(filepath.Join(b.opts.Data, name)); err != nil {
			t.Errorf("another's is gone: %v", err)
		}
	}
	left, err := filepath.Glob(filepath.Join(b.opts.Data, "*", "*"))
	if err != nil || len(left) != len(others) {
		t.Errorf("left: %v %v", left, err)
	}
	if own := layerKey("base", b.layerOwner("acme"), nil); !strings.HasSuffix(own, "-acme") {
		t.Errorf("the layers of acme are not found by the key %s", own)
	}
}
