package build

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// binding is a name at the top level of a Python module that may be the app.
type binding struct {
	name    string
	kind    bindingKind
	missing []string // parameters of a factory that have no default
}

type bindingKind int

const (
	bound    bindingKind = iota // assigned or imported, of unknown type
	flask                       // assigned from Flask(…)
	asgi                        // assigned from a framework that gunicorn's gthread cannot serve
	function                    // def
)

func (b binding) target() string {
	if b.kind == function {
		return b.name + "()"
	}
	return b.name
}

func (b binding) what() string {
	switch b.kind {
	case flask:
		return fmt.Sprintf("the Flask app `%s`", b.name)
	case function:
		return fmt.Sprintf("the factory `%s()`", b.name)
	}
	return fmt.Sprintf("`%s`", b.name)
}

var (
	assignment = regexp.MustCompile(`^([A-Za-z_]\w*)\s*(?::[^=]+)?=\s*([^=].*)?$`)
	definition = regexp.MustCompile(`^def\s+([A-Za-z_]\w*)\s*\((.*?)\)\s*(?:->.*)?:`)
	imported   = regexp.MustCompile(`^from\s+(\S+)\s+import\s+(.+)$`)
	flaskCall  = regexp.MustCompile(`^(?:\w+\.)*Flask\s*\(`)
	asgiCall   = regexp.MustCompile(`^(?:\w+\.)*(FastAPI|Starlette|Quart|Sanic|Litestar)\s*\(`)
	block      = regexp.MustCompile(`^(if|elif|else|try|except|finally|with)\b`)
)

// usual are the names an app goes by, in the order in which they are tried.
var usual = []string{"app", "application", "create_app", "make_app"}

// bindings reads the names that a module binds when it is imported: at the top
// level, and inside if, try and with there, but not in "if __name__ == …".
func bindings(source string) []binding {
	var found []binding
	inside := false // an indented line belongs to a block that runs on import
	for _, line := range logicalLines(source) {
		text := strings.TrimSpace(line)
		if text == "" {
			continue
		}
		if line[0] != ' ' && line[0] != '\t' {
			inside = block.MatchString(text) && !strings.Contains(text, "__name__")
		} else if !inside {
			continue
		}
		found = append(found, read(text)...)
	}
	return found
}

func read(text string) []binding {
	if m := definition.FindStringSubmatch(text); m != nil {
		return []binding{{name: m[1], kind: function, missing: required(m[2])}}
	}
	if m := imported.FindStringSubmatch(text); m != nil && m[1] != "flask" {
		return importedNames(m[2])
	}
	m := assignment.FindStringSubmatch(text)
	switch {
	case m == nil:
		return nil
	case flaskCall.MatchString(m[2]):
		return []binding{{name: m[1], kind: flask}}
	case asgiCall.MatchString(m[2]):
		return []binding{{name: m[1], kind: asgi}}
	}
	return []binding{{name: m[1]}}
}

// importedNames are worth knowing only where they go by a usual name: wsgi.py
// often is nothing but "from shop import app".
func importedNames(list string) []binding {
	var found []binding
	for part := range strings.SplitSeq(strings.Trim(list, "() "), ",") {
		fields := strings.Fields(part)
		if len(fields) == 0 {
			continue
		}
		name := fields[len(fields)-1] // of "a as b", b
		if name == "app" || name == "application" {
			found = append(found, binding{name: name})
		}
	}
	return found
}

// required returns the parameters without a default.
func required(parameters string) []string {
	var missing []string
	for _, p := range splitTop(parameters) {
		p = strings.TrimSpace(p)
		if p == "" || p == "/" || strings.HasPrefix(p, "*") || strings.Contains(p, "=") {
			continue
		}
		name, _, _ := strings.Cut(p, ":")
		missing = append(missing, strings.TrimSpace(name))
	}
	return missing
}

// splitTop splits at the commas that are in no bracket.
func splitTop(s string) []string {
	var parts []string
	depth, from := 0, 0
	for i, r := range s {
		switch r {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case ',':
			if depth == 0 {
				parts, from = append(parts, s[from:i]), i+1
			}
		}
	}
	return append(parts, s[from:])
}

// choose picks the app out of a module's bindings. Where there is none, why
// tells what was seen that could not be started.
func choose(found []binding) (b binding, why string) {
	fits := func(b binding) bool { return b.kind != asgi && len(b.missing) == 0 }
	for _, name := range usual {
		for _, b := range slices.Backward(found) { // the last binding of a name counts
			if b.name != name {
				continue
			}
			factory := name == "create_app" || name == "make_app"
			switch {
			case factory != (b.kind == function):
			case fits(b):
				return b, ""
			default:
				why = cmp.Or(why, unfit(b))
			}
			break
		}
	}
	for _, b := range found {
		if b.kind == flask {
			return b, ""
		}
		if b.kind == asgi {
			why = cmp.Or(why, unfit(b))
		}
	}
	return binding{}, why
}

func unfit(b binding) string {
	if b.kind == asgi {
		return fmt.Sprintf("holds `%s`, an ASGI app and not a Flask one; start it in a `Procfile` with a server of its own", b.name)
	}
	return fmt.Sprintf("has `%s(%s)`, which needs an argument; give it a default, or add a `wsgi.py` with `app = %s(…)`",
		b.name, strings.Join(b.missing, ", "), b.name)
}

var word = regexp.MustCompile(`^[A-Za-z_]\w*$`)

func identifier(s string) bool { return word.MatchString(s) }
