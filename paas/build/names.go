package build

import (
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// header is what an archive says about one of its entries.
type header struct {
	name      string
	dir       bool
	exec      bool
	encrypted bool
	special   string // "a symbolic link", "a device"…; empty for files and folders
}

// Bounds of a path inside an archive.
const (
	maxDepth = 32
	maxName  = 255  // bytes of one element
	maxPath  = 1024 // bytes
)

// ignored are folders and files that never belong to an app's source.
var ignored = []string{"__MACOSX", ".git", ".hg", ".svn", "venv", ".venv", "__pycache__", "node_modules", ".DS_Store",
	".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".idea", ".vscode"}

// targets decides where each entry of an archive is stored, relative to the
// release's folder; "" stands for an entry that is not stored. It returns
// *paas.Invalid for an archive that holds anything but plain files and folders
// under names that are safe, unique on every file system, and few enough.
func targets(headers []header, most int) ([]string, error) {
	names := make([]string, len(headers))
	for i, h := range headers {
		name, err := safeName(h.name)
		if err != nil {
			return nil, err
		}
		names[i] = name
	}
	environments := virtualEnvironments(names)
	seen := newNames()
	count := 0
	for i, h := range headers {
		if names[i] == "." || skipped(names[i], environments) {
			names[i] = ""
			continue
		}
		if count++; count > most {
			return nil, invalid("The archive holds more than %d files and folders. Leave out data and build results. %s", most, nothingStored)
		}
		if err := plain(h); err != nil {
			return nil, err
		}
		if err := seen.add(names[i], h.dir); err != nil {
			return nil, err
		}
		if h.dir {
			names[i] = ""
		}
	}
	if !slices.ContainsFunc(names, func(n string) bool { return n != "" }) {
		return nil, invalid("The archive holds no file. Pack the folder that your app is in.")
	}
	return stripTop(names), nil
}

// safeName returns the cleaned path, or why it is refused.
func safeName(name string) (string, error) {
	shown := strings.ToValidUTF8(name, "\uFFFD")
	if len(shown) > 120 {
		shown = shown[:120] + "…"
	}
	elements := strings.Split(strings.TrimSuffix(name, "/"), "/")
	switch {
	case name == "" || strings.ContainsRune(name, 0) || !utf8.ValidString(name):
		return "", invalid("The archive holds a name that is not text: `%s`. %s", shown, nothingStored)
	case strings.HasPrefix(name, "/") || slices.Contains(elements, "..") || driveLetter(name):
		return "", invalid("The archive holds a path that leaves its folder: `%s`. %s", shown, nothingStored)
	case strings.Contains(name, `\`):
		return "", invalid("The archive holds a path with a backslash: `%s`. Pack it with a tool that writes `/`. %s", shown, nothingStored)
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }): // the latter show a name as another one
		return "", invalid("The archive holds a name with a control character: `%q`. %s", shown, nothingStored)
	case len(name) > maxPath || len(elements) > maxDepth || slices.ContainsFunc(elements, func(e string) bool { return len(e) > maxName }):
		return "", invalid("The archive holds a path that is too long or too deep: `%s`. %s", shown, nothingStored)
	}
	return path.Clean(name), nil
}

func driveLetter(name string) bool {
	return len(name) > 1 && name[1] == ':' && (name[0]|0x20) >= 'a' && (name[0]|0x20) <= 'z'
}

// plain refuses what is neither a readable file nor a folder.
func plain(h header) error {
	if h.special != "" {
		return invalid("The archive holds %s: `%s`. Only files and folders are accepted. %s", h.special, h.name, nothingStored)
	}
	if h.encrypted {
		return invalid("The archive is encrypted (`%s`). Pack it without a password. %s", h.name, nothingStored)
	}
	return nil
}

// virtualEnvironments returns the folders that hold a pyvenv.cfg, whatever
// they are called.
func virtualEnvironments(names []string) []string {
	var found []string
	for _, name := range names {
		if path.Base(name) == "pyvenv.cfg" && path.Dir(name) != "." {
			found = append(found, path.Dir(name)+"/")
		}
	}
	return found
}

func skipped(name string, environments []string) bool {
	if strings.HasSuffix(name, ".pyc") {
		return true
	}
	for element := range strings.SplitSeq(name, "/") {
		if slices.Contains(ignored, element) {
			return true
		}
	}
	return slices.ContainsFunc(environments, func(e string) bool { return strings.HasPrefix(name+"/", e) })
}

// nameSet finds names that would meet on a file system that folds case, or the
// two ways of writing an accent.
type nameSet struct {
	spelled map[string]string // folded path → as spelled first
	files   map[string]bool   // folded paths of files
}

func newNames() nameSet { return nameSet{spelled: map[string]string{}, files: map[string]bool{}} }

func (s nameSet) add(name string, dir bool) error {
	for i, r := range name + "/" {
		if r != '/' {
			continue
		}
		part := name[:i]
		folded := norm.NFC.String(strings.ToLower(norm.NFC.String(part)))
		first, known := s.spelled[folded]
		last := i == len(name)
		switch {
		case known && first != part && norm.NFC.String(first) == norm.NFC.String(part):
			return invalid("The archive holds two names that differ only in how their accents are written: `%s` and `%s`. %s", first, part, nothingStored)
		case known && first != part:
			return invalid("The archive holds two names that differ only in case: `%s` and `%s`. %s", first, part, nothingStored)
		case s.files[folded] && last && !dir:
			return invalid("The archive holds `%s` twice. %s", part, nothingStored)
		case s.files[folded], known && last && !dir:
			return invalid("The archive holds `%s` both as a file and as a folder. %s", part, nothingStored)
		}
		s.spelled[folded] = part
		if last && !dir {
			s.files[folded] = true
		}
	}
	return nil
}

// marks at the top of a folder say that it is the app's root even if the
// folder is a Python package.
var marks = []string{"requirements.txt", "pyproject.toml", "Procfile", "kurama.yaml", "wsgi.py"}

// stripTop takes a single folder at the top away, as archives of a folder have
// it, except where that folder is the Python package itself.
func stripTop(names []string) []string {
	top, isPackage, marked := "", false, false
	for _, name := range names {
		if name == "" {
			continue
		}
		first, rest, deeper := strings.Cut(name, "/")
		if !deeper || (top != "" && first != top) {
			return names
		}
		top = first
		isPackage = isPackage || rest == "__init__.py"
		marked = marked || slices.Contains(marks, rest)
	}
	if isPackage && !marked {
		return names
	}
	for i := range names {
		names[i] = strings.TrimPrefix(names[i], top+"/")
	}
	return names
}
