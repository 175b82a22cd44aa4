package build

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"kurama/internal/config"
)

// requirements is what an app asks to be installed.
type requirements struct {
	file string   // where it was read: requirements.txt or pyproject.toml
	text string   // in the form of a requirements.txt, one line per line of file
	key  []string // all that decides what gets installed, beside the base image
	note string   // a sentence for the build log; may be empty

	self    map[string]string // files of the app as an installed package
	selfKey []string          // the same for the key
}

// wanted returns the lines that ask for something.
func (r requirements) wanted() []string {
	var lines []string
	for line := range strings.Lines(r.text) {
		if line = strings.TrimSpace(uncomment(line)); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// installed reports whether the app has commands or plug-ins of its own, which
// are found only where it is an installed package.
func (r requirements) installed() bool {
	for name, text := range r.self {
		if strings.HasPrefix(name, "bin/") || strings.HasSuffix(name, "/entry_points.txt") && strings.Contains(text, " = ") {
			return true
		}
	}
	return false
}

// line returns the number of the line that asks for a package; 0 when unknown.
func (r requirements) line(name string) int {
	n := 0
	for line := range strings.Lines(r.text) {
		n++
		if m := requirement.FindStringSubmatch(strings.TrimSpace(line)); m != nil && normal(m[1]) == normal(name) {
			return n
		}
	}
	return 0
}

var (
	requirement = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*)`)
	separators  = regexp.MustCompile(`[-_.]+`)
)

// normal writes a package's name as the index compares it.
func normal(name string) string { return strings.ToLower(separators.ReplaceAllString(name, "-")) }

func uncomment(line string) string {
	if i := strings.Index(" "+line, " #"); i >= 0 {
		return line[:i]
	}
	return line
}

// readRequirements reads what the app in dir asks for; an app that asks for
// nothing gives a zero value.
func readRequirements(dir string) (requirements, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return requirements{}, fmt.Errorf("source: %w", err)
	}
	defer root.Close()
	r, err := askedFor(root)
	if err == nil {
		err = r.addWorker(root)
	}
	return r, err
}

var workerClass = regexp.MustCompile(`(?:^|\s)(?:-k|--worker-class)[ =](gevent|eventlet|tornado)\b`)

// addWorker adds the package of gunicorn's worker class that the Procfile
// names, which many an app has only in what it installs for development.
func (r *requirements) addWorker(root *os.Root) error {
	line, err := root.ReadFile("Procfile")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("Procfile: %w", err)
	}
	m := workerClass.FindSubmatch(line)
	if m == nil || r.line(string(m[1])) > 0 {
		return nil
	}
	name := string(m[1])
	r.note = strings.TrimSpace(r.note + fmt.Sprintf(" `Procfile` starts gunicorn with %s, which nothing asks for: it is installed too.", name))
	r.file = cmp.Or(r.file, "Procfile")
	r.text += name + "\n"
	r.key = append(r.key, name)
	return nil
}

func askedFor(root *os.Root) (requirements, error) {
	pyproject, there, err := readText(root, "pyproject.toml")
	if err != nil {
		return requirements{}, err
	}
	var p project
	if there {
		if p, err = readProject(pyproject); err != nil {
			return requirements{}, err
		}
	}
	r, err := firstOf(root, pyproject, p)
	if own := p.self(); err == nil && own.name != "" {
		r.self = own.files()
		for _, name := range slices.Sorted(maps.Keys(r.self)) {
			r.selfKey = append(r.selfKey, name, r.self[name])
		}
	}
	return r, err
}

// firstOf reads the first of the files in which an app may say what it needs.
func firstOf(root *os.Root, pyproject string, p project) (requirements, error) {
	for _, file := range []string{"requirements.txt", "requirements.lock"} {
		text, there, err := readText(root, file)
		if err != nil {
			return requirements{}, err
		}
		if there {
			return fromText(root, file, text)
		}
	}
	r, found, err := fromLock(root, p)
	if err != nil || found || pyproject == "" {
		return r, err
	}
	return fromProject(pyproject)
}

// maxRequirements bounds what is read of a list of packages, bytes.
const maxRequirements = 8 << 20

func readText(root *os.Root, file string) (text string, there bool, err error) {
	f, err := root.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("%s: %w", file, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxRequirements+1))
	switch {
	case err != nil:
		return "", false, fmt.Errorf("%s: %w", file, err)
	case len(data) > maxRequirements:
		return "", false, invalid("`%s` is larger than %s, which is much for a list of packages.", file, config.Bytes(maxRequirements))
	}
	text, ok := decode(data)
	if !ok {
		return "", false, invalid("`%s` is not text in UTF-8 or UTF-16. Save it as UTF-8.", file)
	}
	return text, true, nil
}

// decode turns UTF-8 and, as Windows shells write redirected output, UTF-16
// into text.
func decode(data []byte) (string, bool) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		return string(data), utf8.Valid(data) && bytes.IndexByte(data, 0) < 0
	}
	units := make([]uint16, 0, len(data)/2)
	for i := 2; i+1 < len(data); i += 2 {
		units = append(units, order.Uint16(data[i:]))
	}
	return string(utf16.Decode(units)), true
}

var include = regexp.MustCompile(`^(-r|-c|--requirement|--constraint)[ =]*(\S+)`)

// fromText prepares a requirements.txt: pip reads it from another folder, so
// included files are named by their place in the container, and an editable
// install of the app itself, whose folder is importable anyway, is left out.
func fromText(root *os.Root, file, text string) (requirements, error) {
	r := requirements{file: file}
	var out strings.Builder
	for i, line := range strings.Split(strings.ReplaceAll(text, "\r", ""), "\n") {
		bare := strings.TrimSpace(uncomment(line))
		switch {
		case editableSelf(bare):
			r.note = fmt.Sprintf("`%s`, line %d: `%s` is left out, the app's folder is importable without it.", file, i+1, bare)
			line = ""
		case strings.HasPrefix(bare, "-e") || strings.HasPrefix(bare, "--editable"):
			return r, invalid("`%s`, line %d: `%s` cannot be installed as editable, because an app's source is read-only. Remove `-e`.", file, i+1, bare)
		case include.MatchString(bare):
			m := include.FindStringSubmatch(bare)
			included, err := includedFiles(root, m[2], 0)
			if err != nil {
				return r, invalid("`%s`, line %d: %v.", file, i+1, err)
			}
			r.key = append(r.key, included...)
			line = m[1] + " /app/" + path.Clean(m[2])
		case local(bare):
			sum, err := treeDigest(root.Name())
			if err != nil {
				return r, fmt.Errorf("digest of the source: %w", err)
			}
			r.key = append(r.key, sum)
		}
		out.WriteString(line + "\n")
	}
	r.text = out.String()
	r.key = append(r.key, r.wanted()...)
	return r, nil
}

func editableSelf(line string) bool {
	switch strings.Join(strings.Fields(line), " ") {
	case ".", "./", "-e .", "-e ./", "-e file:.", "--editable .", "--editable=.":
		return true
	}
	return false
}

// local tells whether a line installs something out of the upload itself.
func local(line string) bool {
	return strings.HasPrefix(line, "./") || strings.HasPrefix(line, "/") || strings.Contains(line, "file:") ||
		strings.HasPrefix(line, "--find-links") || strings.HasPrefix(line, "-f") ||
		strings.HasSuffix(line, ".whl") && !strings.Contains(line, "://")
}

const maxIncludes = 8 // levels

// includedFiles returns the content of a file that requirements.txt includes,
// and of those that it includes.
func includedFiles(root *os.Root, name string, level int) ([]string, error) {
	if level > maxIncludes {
		return nil, fmt.Errorf("`%s` is included %d levels deep", name, level)
	}
	if strings.Contains(name, "://") {
		return []string{name}, nil
	}
	data, err := root.ReadFile(path.Clean(name))
	if err != nil {
		return nil, fmt.Errorf("there is no file `%s` in the upload", name)
	}
	text, _ := decode(data)
	contents := []string{text}
	for line := range strings.Lines(text) {
		if m := include.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			more, err := includedFiles(root, path.Join(path.Dir(name), m[2]), level+1)
			if err != nil {
				return nil, err
			}
			contents = append(contents, more...)
		}
	}
	return contents, nil
}
