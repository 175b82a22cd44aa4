package paas

import "testing"

func TestCheckVolume(t *testing.T) {
	f := func(path string, size int64, want bool) {
		t.Helper()
		err := CheckVolume(Volume{Path: path, Size: size}, []Volume{{Path: "data", Size: 64 << 20}}, 256<<20)
		if (err == nil) != want {
			t.Errorf("%s of %d: %v", path, size, err)
		}
	}
	f("instance", 64<<20, true)
	f("var/uploads", 64<<20, true)
	f("database", 64<<20, true)
	f("data/x", 64<<20, false)
	f("instance", 1<<20, false)
	f("instance", 193<<20, false)
	for _, path := range []string{"", ".", "..", "../x", "/etc", "a//b", "a/../b", "a/", ".git", "a b", "a:b", "a/b/c/d/e", "instance.img", "a/data.new"} {
		f(path, 64<<20, false)
	}
}
