package build

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// project is what a pyproject.toml says about an app.
type project struct {
	Project struct {
		Name         string                       `toml:"name"`
		Version      string                       `toml:"version"`
		Dependencies []string                     `toml:"dependencies"`
		Scripts      map[string]string            `toml:"scripts"`
		EntryPoints  map[string]map[string]string `toml:"entry-points"`
	} `toml:"project"`
	Tool struct {
		Poetry struct {
			Name         string         `toml:"name"`
			Version      string         `toml:"version"`
			Dependencies map[string]any `toml:"dependencies"`
			Scripts      map[string]any `toml:"scripts"`
		} `toml:"poetry"`
	} `toml:"tool"`
}

var extrasOf = regexp.MustCompile(`^[A-Za-z0-9._-]+\s*\[([^\]]*)\]`)

// readProject reads a pyproject.toml. It returns *paas.Invalid with the line
// of a mistake.
func readProject(text string) (p project, err error) {
	if err := toml.Unmarshal([]byte(text), &p); err != nil {
		return p, invalid("`pyproject.toml` cannot be read: %s.", strings.TrimPrefix(err.Error(), "toml: "))
	}
	return p, nil
}

// asked returns what the app asks for, in the form of a requirements.txt: the
// standard's list, else Poetry's own table.
func (p project) asked() []string {
	if p.Project.Dependencies != nil {
		return p.Project.Dependencies
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(p.Tool.Poetry.Dependencies)) {
		if normal(name) != "python" {
			lines = append(lines, poetryLine(name, p.Tool.Poetry.Dependencies[name]))
		}
	}
	return slices.DeleteFunc(lines, func(l string) bool { return l == "" })
}

// poetryLine writes one entry of Poetry's table as pip reads it; empty for one
// that is optional.
func poetryLine(name string, value any) string {
	version, _ := value.(string)
	marker := ""
	if table, ok := value.(map[string]any); ok {
		if optional, _ := table["optional"].(bool); optional {
			return ""
		}
		version, _ = table["version"].(string)
		marker, _ = table["markers"].(string)
		if git, ok := table["git"].(string); ok {
			return name + " @ git+" + git
		}
		var extras []string
		list, _ := table["extras"].([]any)
		for _, extra := range list {
			extras = append(extras, fmt.Sprint(extra))
		}
		if len(extras) > 0 {
			name += "[" + strings.Join(extras, ",") + "]"
		}
	}
	line := name + poetryVersion(version)
	if marker != "" {
		line += " ; " + marker
	}
	return line
}

// poetryVersion turns Poetry's ^ and ~ into ranges: ^1.2.3 is >=1.2.3,<2 and
// ^0.2.3 is >=0.2.3,<0.3; ~1.2.3 is >=1.2.3,<1.3.
func poetryVersion(v string) string {
	v = strings.TrimSpace(v)
	switch {
	case v == "" || v == "*":
		return ""
	case strings.HasPrefix(v, "^"):
		parts, ok := numbers(v[1:])
		if !ok {
			return ""
		}
		at := 0
		for at < len(parts)-1 && parts[at] == 0 {
			at++
		}
		return ">=" + v[1:] + ",<" + below(parts, at)
	case strings.HasPrefix(v, "~") && !strings.HasPrefix(v, "~="):
		parts, ok := numbers(v[1:])
		if !ok {
			return ""
		}
		return ">=" + v[1:] + ",<" + below(parts, min(1, len(parts)-1))
	case v[0] >= '0' && v[0] <= '9':
		return "==" + v
	}
	return v
}

// below writes the first version that differs from parts at a place.
func below(parts []int, at int) string {
	next := slices.Clone(parts[:at+1])
	next[at]++
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(next), " ", "."), "[]")
}

// self is the app as an installed package: what importlib.metadata finds, and
// its own commands. Its code stays in /app.
type self struct {
	name, version string
	scripts       map[string]string // command → module:function
	points        map[string]map[string]string
}

func (p project) self() self {
	s := self{name: p.Project.Name, version: p.Project.Version, scripts: map[string]string{}, points: p.Project.EntryPoints}
	if s.name == "" {
		s.name, s.version = p.Tool.Poetry.Name, p.Tool.Poetry.Version
	}
	maps.Copy(s.scripts, p.Project.Scripts)
	for name, target := range p.Tool.Poetry.Scripts {
		if text, ok := target.(string); ok {
			s.scripts[name] = text
		}
	}
	if s.version == "" {
		s.version = "0"
	}
	if !packageName.MatchString(s.name) || !packageVersion.MatchString(s.version) {
		return self{}
	}
	return s
}

var (
	packageName    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$`)
	packageVersion = regexp.MustCompile(`^[A-Za-z0-9.+!_-]{1,60}$`)
	scriptName     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,60}$`)
	scriptTarget   = regexp.MustCompile(`^([A-Za-z_][\w.]*):([A-Za-z_][\w.]*)$`)
)

// files returns the package's files by their place below the environment:
// site/ for its site-packages, bin/ for its commands.
func (s self) files() map[string]string {
	if s.name == "" {
		return nil
	}
	info := "site/" + strings.NewReplacer("-", "_", ".", "_").Replace(s.name) + "-" + s.version + ".dist-info/"
	files := map[string]string{
		info + "METADATA":  fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\n", s.name, s.version),
		info + "INSTALLER": "kurama\n", info + "RECORD": "",
	}
	var points strings.Builder
	groups := maps.Clone(s.points)
	if groups == nil {
		groups = map[string]map[string]string{}
	}
	groups["console_scripts"] = s.scripts
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		fmt.Fprintf(&points, "[%s]\n", group)
		for _, name := range slices.Sorted(maps.Keys(groups[group])) {
			fmt.Fprintf(&points, "%s = %s\n", name, groups[group][name])
		}
	}
	files[info+"entry_points.txt"] = points.String()
	for name, target := range s.scripts {
		if m := scriptTarget.FindStringSubmatch(target); m != nil && scriptName.MatchString(name) {
			first, _, _ := strings.Cut(m[2], ".")
			files["bin/"+name] = fmt.Sprintf("#!/opt/deps/bin/python3\nimport sys\nsys.path[:0] = ['/app', '/app/src']\nfrom %s import %s\nsys.exit(%s())\n", m[1], first, m[2])
		}
	}
	return files
}
