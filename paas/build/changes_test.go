package build

import (
	"slices"
	"strings"
	"testing"

	"kurama/paas"
)

func TestChanges(t *testing.T) {
	b := &Builder{opts: Options{Data: t.TempDir()}}
	big := strings.Repeat("x", 100_000)
	write(t, b.SourceFolder("acme", "shop", 1), map[string]string{"app.py": "1", "same.txt": big, "late.txt": big + "a", "old/gone.py": ""})
	write(t, b.SourceFolder("acme", "shop", 2), map[string]string{"app.py": "2", "same.txt": big, "late.txt": big + "b", "new/here.py": ""})
	c, err := b.Changes("acme", "shop", 1, 2)
	want := []paas.FileChange{{Path: "app.py", What: "changed"}, {Path: "late.txt", What: "changed"}, {Path: "new/here.py", What: "added"}, {Path: "old/gone.py", What: "removed"}}
	if err != nil || c.Added != 1 || c.Changed != 2 || c.Removed != 1 || !slices.Equal(c.Files, want) {
		t.Errorf("got %+v, %v", c, err)
	}
	if c, err := b.Changes("acme", "shop", 1, 3); c != nil || err != nil {
		t.Errorf("of a source that is gone: %+v, %v", c, err)
	}
}
