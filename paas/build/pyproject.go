package build

import (
	"strconv"
	"strings"
)

// fromProject reads [project].dependencies out of a pyproject.toml. Only as
// much of TOML is understood as that list needs; what the table says besides
// does not change what is installed, so it does not change the layer.
func fromProject(text string) (requirements, error) {
	r := requirements{file: "pyproject.toml"}
	list, line, found := dependencyList(text)
	if !found {
		if strings.Contains(text, "[tool.poetry.dependencies]") {
			r.note = "`pyproject.toml` names its dependencies in Poetry's own table, which pip does not read. Export them: `poetry export -o requirements.txt`."
		}
		return r, nil
	}
	items, ok := tomlStrings(list)
	if !ok {
		return r, invalid("`pyproject.toml`, line %d: `dependencies` is a list of texts, such as `[\"flask>=3\"]`.", line)
	}
	r.text = strings.Repeat("\n", line-1) + strings.Join(items, "\n") + "\n"
	r.key = items
	return r, nil
}

// dependencyList returns what follows "dependencies =" in the table [project],
// and its line, counted from 1.
func dependencyList(text string) (list string, line int, found bool) {
	inProject, offset := false, 0
	for l := range strings.Lines(text) {
		line++
		bare := strings.TrimSpace(l)
		if strings.HasPrefix(bare, "[") && !inProject || strings.HasPrefix(bare, "[") && strings.HasSuffix(uncommented(bare), "]") && !strings.HasPrefix(bare, "[[") {
			inProject = uncommented(bare) == "[project]"
		}
		key, _, ok := strings.Cut(bare, "=")
		if inProject && ok && strings.TrimSpace(key) == "dependencies" {
			return text[offset+strings.Index(l, "=")+1:], line, true
		}
		offset += len(l)
	}
	return "", 0, false
}

func uncommented(line string) string {
	line, _, _ = strings.Cut(line, "#")
	return strings.TrimSpace(line)
}

// tomlStrings reads an array of strings, with comments and line breaks between
// them; what follows the array is not looked at.
func tomlStrings(s string) (items []string, ok bool) {
	s = strings.TrimLeft(s, " \t")
	if !strings.HasPrefix(s, "[") {
		return nil, false
	}
	s = s[1:]
	for {
		s = strings.TrimLeft(s, " \t\r\n,")
		switch {
		case s == "":
			return nil, false
		case s[0] == ']':
			return items, true
		case s[0] == '#':
			s = s[indexOr(s, "\n", len(s)):]
		case s[0] == '"' || s[0] == '\'':
			item, rest, ok := tomlString(s)
			if !ok {
				return nil, false
			}
			items, s = append(items, item), rest
		default:
			return nil, false
		}
	}
}

// tomlString reads one basic or literal string of a single line.
func tomlString(s string) (item, rest string, ok bool) {
	quote := s[0]
	for i := 1; i < len(s) && s[i] != '\n'; i++ {
		switch {
		case s[i] == '\\' && quote == '"':
			i++
		case s[i] == quote && quote == '\'':
			return s[1:i], s[i+1:], true
		case s[i] == quote:
			item, err := strconv.Unquote(s[:i+1])
			return item, s[i+1:], err == nil
		}
	}
	return "", "", false
}
