package build

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// locked is a lock file as a graph: what the app asks for, and what each of
// that asks for in turn.
type locked struct {
	roots    []edge
	packages map[string]lockedPackage // by normal name
}

type lockedPackage struct {
	name, version string
	needs         []edge
	extras        map[string][]edge
	elsewhere     bool // from a folder or a repository, not an index
}

// edge asks for a package, where its marker holds.
type edge struct {
	name, marker string
	extras       []string
}

// maxEdges bounds the work on a lock file that was made to cause some.
const maxEdges = 100_000

// requirements returns the packages that the app needs, each with its version,
// as lines of a requirements.txt. It returns false where one comes from
// elsewhere than an index.
func (l locked) requirements() ([]string, bool) {
	markers := map[string]map[string]bool{} // package → markers under which it is wanted; "" is always
	queue := slices.Clone(l.roots)
	for looked := 0; len(queue) > 0; looked++ {
		if looked > maxEdges {
			return nil, false
		}
		e := queue[0]
		queue = queue[1:]
		p, known := l.packages[normal(e.name)]
		if !known {
			continue // for another platform
		}
		if p.elsewhere {
			return nil, false
		}
		seen := markers[normal(e.name)]
		if seen == nil {
			seen = map[string]bool{}
			markers[normal(e.name)] = seen
		}
		mark := e.marker + "\x00" + strings.Join(e.extras, ",")
		if seen[mark] {
			continue
		}
		seen[mark] = true
		queue = append(queue, p.below(e)...)
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(markers)) {
		lines = append(lines, l.packages[name].name+"=="+l.packages[name].version+condition(markers[name]))
	}
	return lines, true
}

// below returns what a package asks for when it is asked for by e. What is
// needed only below a marker is needed under no other.
func (p lockedPackage) below(e edge) []edge {
	needs := slices.Clone(p.needs)
	for _, extra := range e.extras {
		needs = append(needs, p.extras[extra]...)
	}
	for i := range needs {
		if needs[i].marker == "" {
			needs[i].marker = e.marker
		}
	}
	return needs
}

func condition(marks map[string]bool) string {
	var all []string
	for _, mark := range slices.Sorted(maps.Keys(marks)) {
		marker, _, _ := strings.Cut(mark, "\x00")
		if marker == "" {
			return ""
		}
		if marker = "(" + marker + ")"; !slices.Contains(all, marker) {
			all = append(all, marker)
		}
	}
	return " ; " + strings.Join(all, " or ")
}

// fromLock reads the lock file beside a pyproject.toml or Pipfile; false where
// there is none that can be used.
func fromLock(root *os.Root, p project) (requirements, bool, error) {
	for _, file := range []struct {
		name string
		read func([]byte, project) (locked, error)
	}{{"uv.lock", readUVLock}, {"poetry.lock", readPoetryLock}, {"Pipfile.lock", readPipfileLock}} {
		text, there, err := readText(root, file.name)
		if err != nil {
			return requirements{}, false, err
		}
		if !there {
			continue
		}
		l, err := file.read([]byte(text), p)
		if err != nil {
			return requirements{}, false, invalid("`%s` cannot be read: %v. Make it again with its tool, or remove it.", file.name, err)
		}
		lines, whole := l.requirements()
		if !whole || len(lines) == 0 {
			continue
		}
		return requirements{file: file.name, text: strings.Join(lines, "\n") + "\n", key: lines,
			note: fmt.Sprintf("`%s` says which versions are installed.", file.name)}, true, nil
	}
	return requirements{}, false, nil
}

type uvEdge struct {
	Name   string   `toml:"name"`
	Marker string   `toml:"marker"`
	Extra  []string `toml:"extra"`
}

// readUVLock reads the format of uv (version 1).
func readUVLock(data []byte, _ project) (locked, error) {
	var file struct {
		Package []struct {
			Name     string              `toml:"name"`
			Version  string              `toml:"version"`
			Source   map[string]any      `toml:"source"`
			Needs    []uvEdge            `toml:"dependencies"`
			Optional map[string][]uvEdge `toml:"optional-dependencies"`
		} `toml:"package"`
	}
	if err := toml.Unmarshal(data, &file); err != nil {
		return locked{}, err
	}
	edges := func(from []uvEdge) (to []edge) {
		for _, e := range from {
			to = append(to, edge{e.Name, e.Marker, e.Extra})
		}
		return to
	}
	l := locked{packages: map[string]lockedPackage{}}
	for _, p := range file.Package {
		if p.Source["editable"] == "." || p.Source["virtual"] == "." {
			l.roots = edges(p.Needs)
			continue
		}
		one := lockedPackage{name: p.Name, version: p.Version, needs: edges(p.Needs), extras: map[string][]edge{}}
		for extra, needs := range p.Optional {
			one.extras[extra] = edges(needs)
		}
		_, before := l.packages[normal(p.Name)] // versions that depend on the platform: pip shall choose
		one.elsewhere = before || p.Source["registry"] == nil
		l.packages[normal(p.Name)] = one
	}
	return l, nil
}

// readPoetryLock reads the formats 1.1 to 2.1 of Poetry.
func readPoetryLock(data []byte, p project) (locked, error) {
	var file struct {
		Package []struct {
			Name    string         `toml:"name"`
			Version string         `toml:"version"`
			Source  map[string]any `toml:"source"`
			Needs   map[string]any `toml:"dependencies"`
		} `toml:"package"`
	}
	if err := toml.Unmarshal(data, &file); err != nil {
		return locked{}, err
	}
	l := locked{packages: map[string]lockedPackage{}}
	for _, one := range file.Package {
		found := lockedPackage{name: one.Name, version: one.Version, extras: map[string][]edge{}}
		kind, _ := one.Source["type"].(string)
		found.elsewhere = kind == "git" || kind == "directory" || kind == "file" || kind == "url"
		for name, need := range one.Needs {
			found.addNeed(name, need)
		}
		l.packages[normal(one.Name)] = found
	}
	for _, line := range p.asked() {
		name := requirement.FindString(line)
		e := edge{name: name}
		if m := extrasOf.FindStringSubmatch(line); m != nil {
			e.extras = []string{everyExtra}
		}
		if _, marker, ok := strings.Cut(line, ";"); ok {
			e.marker = strings.TrimSpace(marker)
		}
		l.roots = append(l.roots, e)
	}
	return l, nil
}

// everyExtra stands for the extras of a package in poetry.lock, which does not
// tell them apart.
const everyExtra = "*"

func (p *lockedPackage) addNeed(name string, need any) {
	e := edge{name: name}
	table, _ := need.(map[string]any)
	e.marker, _ = table["markers"].(string)
	if optional, _ := table["optional"].(bool); optional {
		e.marker = ""
		p.extras[everyExtra] = append(p.extras[everyExtra], e)
		return
	}
	if extras, _ := table["extras"].([]any); len(extras) > 0 {
		e.extras = []string{everyExtra}
	}
	p.needs = append(p.needs, e)
}

// readPipfileLock reads the format of Pipenv, a flat list.
func readPipfileLock(data []byte, _ project) (locked, error) {
	var file struct {
		Default map[string]struct {
			Version string `json:"version"`
			Markers string `json:"markers"`
		} `json:"default"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return locked{}, err
	}
	l := locked{packages: map[string]lockedPackage{}}
	for _, name := range slices.Sorted(maps.Keys(file.Default)) {
		one := file.Default[name]
		version, pinned := strings.CutPrefix(one.Version, "==")
		l.packages[normal(name)] = lockedPackage{name: name, version: version, elsewhere: !pinned}
		l.roots = append(l.roots, edge{name: name, marker: one.Markers})
	}
	return l, nil
}
