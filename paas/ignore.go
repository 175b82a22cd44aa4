package paas

import (
	"path"
	"slices"
	"strings"
)

// Ignore says which files of a folder stay at home, by the rules of
// .gitignore: the last line that fits decides, ! takes back, a / at the end
// means folders, a / elsewhere means from the top, * ? [] within a name, and
// ** for any names.
type Ignore struct{ rules []rule }

type rule struct {
	names  []string // pattern, split at /
	negate bool
	folder bool
}

// ParseIgnore reads the lines of ignore files, the earlier ones overruled by
// the later ones. A line that cannot be a pattern fits nothing.
func ParseIgnore(files ...string) Ignore {
	var i Ignore
	for _, file := range files {
		for line := range strings.Lines(file) {
			if r, ok := parseRule(strings.TrimRight(line, " \t\r\n")); ok {
				i.rules = append(i.rules, r)
			}
		}
	}
	return i
}

func parseRule(line string) (r rule, ok bool) {
	if line == "" || line[0] == '#' {
		return r, false
	}
	line, r.negate = strings.CutPrefix(line, "!")
	line, r.folder = strings.CutSuffix(strings.TrimPrefix(line, `\`), "/")
	anchored := strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if line == "" {
		return r, false
	}
	if !anchored {
		line = "**/" + line
	}
	for _, name := range strings.Split(line, "/") {
		if n := len(r.names); name != "**" || n == 0 || r.names[n-1] != "**" { // more of them in a row say no more
			r.names = append(r.names, name)
		}
	}
	return r, true
}

// Match reports whether the file at name, a path with slashes from the top, is
// ignored. Of an ignored folder nothing is looked at.
func (i Ignore) Match(name string, isDir bool) bool {
	names, ignored := strings.Split(name, "/"), false
	for _, r := range i.rules {
		if r.negate == ignored && (isDir || !r.folder) && fits(r.names, names) {
			ignored = !ignored
		}
	}
	return ignored
}

// Len returns the number of patterns.
func (i Ignore) Len() int { return len(i.rules) }

// Below returns a function that reports whether the file at a name is ignored,
// or a folder that it is in. It looks at each folder once.
func (i Ignore) Below() func(name string) bool {
	folders := map[string]bool{".": false, "/": false}
	var inside func(folder string) bool
	inside = func(folder string) bool {
		ignored, known := folders[folder]
		if !known {
			ignored = inside(path.Dir(folder)) || i.Match(folder, true)
			folders[folder] = ignored
		}
		return ignored
	}
	return func(name string) bool { return inside(path.Dir(name)) || i.Match(name, false) }
}

// fits reports whether the names are what the pattern says. It goes through
// both side by side, in as many steps as the one has names times the other.
func fits(pattern, names []string) bool {
	// reach[n]: the pattern so far fits the first n names.
	reach := make([]bool, len(names)+1)
	reach[0] = true
	for _, p := range pattern {
		next := make([]bool, len(names)+1)
		for n := range reach {
			switch {
			case p == "**":
				next[n] = reach[n] || n > 0 && next[n-1]
			case n > 0 && reach[n-1]:
				next[n], _ = path.Match(p, names[n-1])
			}
		}
		if reach = next; !slices.Contains(reach, true) {
			return false
		}
	}
	return reach[len(names)]
}
