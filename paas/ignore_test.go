package paas

import "testing"

func TestIgnore(t *testing.T) {
	f := func(patterns, name string, isDir, want bool) {
		t.Helper()
		if got := ParseIgnore(patterns).Match(name, isDir); got != want {
			t.Errorf("%q on %s: %v", patterns, name, got)
		}
	}
	f("*.log", "a.log", false, true)
	f("*.log", "deep/er/a.log", false, true)
	f("*.log\n!keep.log", "keep.log", false, false)
	f("!keep.log\n*.log", "keep.log", false, true)
	f("/build", "build", true, true)
	f("/build", "src/build", true, false)
	f("src/build", "src/build", true, true)
	f("data/", "data", true, true)
	f("data/", "data", false, false)
	f("docs/**/x", "docs/x", false, true)
	f("docs/**/x", "docs/a/b/x", false, true)
	f("**/x/*.py", "a/x/b.py", false, true)
	f("# comment\n\n   \n", "# comment", false, false)
	f(`\#file`, "#file", false, true)
	f("[", "[", false, false)
	f("a/**/**/**/b", "a/b", false, true)
	below := ParseIgnore("data/\n*.log\n!data/keep.txt").Below()
	for name, want := range map[string]bool{"data/big.bin": true, "src/data/big.bin": true, "data/keep.txt": true, "data": false, "a/b.log": true, "a/b.py": false} {
		if got := below(name); got != want {
			t.Errorf("below %s: %v", name, got)
		}
	}
}

func FuzzIgnore(f *testing.F) {
	f.Add("*.log\n!a/**/b\n/x/", "a/b/c")
	f.Add("**/**/**/*a*a*a*", "aaaa/aaaa")
	f.Fuzz(func(_ *testing.T, patterns, name string) { ParseIgnore(patterns).Match(name, false) })
}
