package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
)

// versionFiles are where an app may say which Python it was written for: pyenv
// and uv read the first, Heroku the second.
var versionFiles = []string{".python-version", "runtime.txt"}

var pythonVersion = regexp.MustCompile(`^(?:c?python-?)?(3(?:\.\d+){0,2})$`)

// fitsPython tells what is to be told of the Python that the app in dir was
// written for, where it says so.
func (b *Builder) fitsPython(ctx context.Context, dir string, line func(string)) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	defer root.Close()
	if !slices.ContainsFunc(versionFiles, func(file string) bool { _, err := root.Stat(file); return err == nil }) {
		return nil
	}
	base, err := b.ready(ctx, line)
	if err != nil {
		return err
	}
	note, err := b.checkPython(ctx, root, base.image)
	if note != "" {
		line(note)
	}
	return err
}

// checkPython returns a sentence about an app that was written for another
// Python than the base image has, and *paas.Invalid where that is a newer one:
// then its syntax or its packages may not be there yet.
func (b *Builder) checkPython(ctx context.Context, root *os.Root, image string) (note string, err error) {
	for _, file := range versionFiles {
		text, there, err := readText(root, file)
		if err != nil {
			return "", err
		}
		m := pythonVersion.FindStringSubmatch(firstWord(text))
		if !there || m == nil {
			continue // "system", PyPy, a name of a pyenv: nothing that can be compared
		}
		want, _ := numbers(m[1])
		have, err := b.python(ctx, image)
		if err != nil {
			return "", err
		}
		return comparePython(file, m[1], want, have)
	}
	return "", nil
}

func comparePython(file, asked string, want, have []int) (note string, err error) {
	version := strings.Trim(strings.ReplaceAll(fmt.Sprint(have), " ", "."), "[]")
	n := min(2, len(want), len(have))
	switch order := slices.Compare(want[:n], have[:n]); {
	case order > 0:
		return "", invalid("`%s` asks for Python %s, and the base image of this host has %s. Ask for %d.%d there where the app runs with it, or have the platform's operator name an image with Python %s in build.base.",
			file, asked, version, have[0], have[1], asked)
	case order < 0:
		return fmt.Sprintf("`%s` asks for Python %s; the base image has %s, which is used.", file, asked, version), nil
	}
	return "", nil
}

func firstWord(text string) string {
	for line := range strings.Lines(text) {
		if word := strings.TrimSpace(uncomment(line)); word != "" && !strings.HasPrefix(word, "#") {
			return strings.ToLower(word)
		}
	}
	return ""
}

// python asks the base image for its version of Python, once.
func (b *Builder) python(ctx context.Context, image string) ([]int, error) {
	b.layers.Lock()
	have := b.pythons[image]
	b.layers.Unlock()
	if have != nil {
		return have, nil
	}
	var said string
	end, err := b.run(ctx, step{
		config: &container.Config{Image: image, User: "65534:65534", Entrypoint: noEntrypoint, Cmd: []string{"python3", "-c", "import platform; print(platform.python_version())"}},
		host:   &container.HostConfig{NetworkMode: "none", ReadonlyRootfs: true, CapDrop: []string{"ALL"}},
	}, func(l string) { said = l })
	have, ok := numbers(strings.TrimRight(said, "+abcr"))
	if err == nil && (end.code != 0 || !ok || len(have) < 2) {
		err = errors.New("python3 said " + said)
	}
	if err != nil {
		return nil, fmt.Errorf("version of Python in %s: %w", image, err)
	}
	b.layers.Lock()
	defer b.layers.Unlock()
	b.pythons[image] = have
	return have, nil
}
