package build

import (
	"os"
	"strings"
	"testing"
)

func TestCheckPython(t *testing.T) {
	b := &Builder{pythons: map[string][]int{"base": {3, 11, 2}}}
	f := func(file, text, note, refused string) {
		t.Helper()
		root, err := os.OpenRoot(write(t, t.TempDir(), map[string]string{file: text}))
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		got, err := b.checkPython(t.Context(), root, "base")
		if got != note || (err == nil) != (refused == "") || err != nil && !strings.HasPrefix(err.Error(), refused) {
			t.Errorf("%s %q: got %q, %v", file, text, got, err)
		}
	}
	f("app.py", "", "", "")
	f(".python-version", "3.11\n", "", "")
	f(".python-version", "# ours\n3.11.9\n", "", "")
	f(".python-version", "3\n", "", "")
	f(".python-version", "system\n", "", "")
	f(".python-version", "pypy3.10-7.3.12\n", "", "")
	f("runtime.txt", "python-3.9.7", "`runtime.txt` asks for Python 3.9.7; the base image has 3.11.2, which is used.", "")
	f(".python-version", "3.13\n", "", "`.python-version` asks for Python 3.13, and the base image of this host has 3.11.2. Ask for 3.11 there")
	f("runtime.txt", "Python-3.12.1\r\n", "", "`runtime.txt` asks for Python 3.12.1, and")
}
