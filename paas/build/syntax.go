package build

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"kurama/paas"
)

// Bounds of what is checked; beyond them a file is left to the start.
const (
	maxChecked    = 2 << 20  // bytes of one file
	maxCheckedAll = 32 << 20 // bytes of all
	maxMistakes   = 5        // told one by one
)

// question is what syntax.py is asked, in its own words.
type question struct {
	Entry string            `json:"entry"` // module, or file, that the start begins with; empty: not known
	Paths []string          `json:"paths"` // folders of modules: "" or names that end with a slash
	Files map[string][]byte `json:"files"`
}

// mistake is a file that Python cannot compile.
type mistake struct {
	File    string `json:"file"`
	Line    int    `json:"line"`   // 0: unknown
	Column  int    `json:"column"` // from 1, in characters; 0: unknown
	Text    string `json:"text"`   // of the line
	Kind    string `json:"kind"`   // SyntaxError, or a kind of it
	What    string `json:"what"`
	Certain bool   `json:"certain"` // the start imports it whatever happens
}

// CheckSyntax has the base image's Python compile the sources in dir, executing
// nothing. It returns *paas.Invalid, with file, line and place, where the start
// imports one that cannot be compiled; the others are warnings, because they may
// be of another Python or never used. What cannot be checked is left to
// the start: nothing is refused for that.
func (b *Builder) CheckSyntax(ctx context.Context, dir string, start paas.Start) (warnings []string, err error) {
	q, err := ask(dir, start)
	if err != nil || len(q.Files) == 0 {
		return nil, err
	}
	text, err := json.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("syntax of the sources: %w", err)
	}
	said, err := b.compile(ctx, append(text, '\n'))
	var found []mistake
	if err == nil {
		err = json.Unmarshal(said, &found)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		b.opts.Log.Warn("the syntax of a source could not be checked", "folder", dir, "error", err)
		return nil, nil
	}
	return judge(found)
}

// judge returns *paas.Invalid for mistakes that keep the app from starting, else
// a sentence for each of the first, and one for all where there are more.
func judge(found []mistake) (warnings []string, err error) {
	slices.SortStableFunc(found, func(a, b mistake) int { return rank(a) - rank(b) })
	if len(found) == 0 {
		return nil, nil
	}
	if found[0].Certain {
		return nil, invalid("%s\nThe start imports this file, so the app cannot run%s. Mend it and deploy again.", found[0], others(found[1:]))
	}
	for _, m := range found[:min(len(found), maxMistakes)] {
		warnings = append(warnings, fmt.Sprintf("Warning: %s", m))
	}
	if len(found) > 1 {
		warnings = append(warnings, fmt.Sprintf("Warning: %d files are no Python that runs here; the start by itself imports none of them.", len(found)))
	}
	return warnings, nil
}

// rank puts those first that keep the app from starting.
func rank(m mistake) int {
	if m.Certain {
		return 0
	}
	return 1
}

// others names the files beside the first that keep the app from starting.
func others(found []mistake) string {
	var names []string
	for _, m := range found {
		if m.Certain && len(names) < maxMistakes {
			names = append(names, "`"+m.File+"`")
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; the same holds for " + strings.Join(names, ", ")
}

// maxShown bounds what is shown of a line of source, characters.
const maxShown = 120

// String writes the place, what is wrong, and the line with a mark below it.
func (m mistake) String() string {
	what := m.Kind + ": " + m.What
	if !strings.HasSuffix(what, ".") && !strings.HasSuffix(what, "?") {
		what += "."
	}
	if m.Line == 0 {
		return fmt.Sprintf("`%s`: %s", m.File, what)
	}
	head := fmt.Sprintf("`%s`, line %d: %s", m.File, m.Line, what)
	text := strings.TrimLeft(m.Text, " \t\f")
	at := m.Column - 1 - (utf8.RuneCountInString(m.Text) - utf8.RuneCountInString(text))
	if text == "" || at >= maxShown {
		return head
	}
	shown := []rune(strings.Map(visible, strings.TrimRight(text, " \t\r")))
	if len(shown) > maxShown {
		shown = append(shown[:maxShown], '…')
	}
	if head += "\n    " + string(shown); m.Column > 0 {
		head += "\n    " + strings.Repeat(" ", max(0, at)) + "^"
	}
	return head
}

// visible keeps a line of source in its columns and harmless on a terminal.
func visible(r rune) rune {
	if r == '\t' {
		return ' '
	}
	if r < ' ' || r == 0x7f || r == utf8.RuneError {
		return '?'
	}
	return r
}

// ask gathers the Python files in dir.
func ask(dir string, start paas.Start) (question, error) {
	q := question{Entry: entryOf(start), Paths: []string{""}, Files: map[string][]byte{}}
	if folder := path.Dir(q.Entry); strings.HasSuffix(q.Entry, ".py") && folder != "." {
		q.Paths = []string{folder + "/"}
	} else if slices.Contains(start.Command, "/app/src") {
		q.Paths = []string{"src/", ""}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return q, fmt.Errorf("source: %w", err)
	}
	defer root.Close()
	size := 0
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || path.Ext(name) != ".py" {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Size() > maxChecked || size+int(info.Size()) > maxCheckedAll {
			return err
		}
		size += int(info.Size())
		q.Files[name], err = root.ReadFile(name)
		return err
	})
	if err != nil {
		return q, fmt.Errorf("source: %w", err)
	}
	return q, nil
}

var (
	gunicornTarget = regexp.MustCompile(`^([A-Za-z_][\w.]*):[A-Za-z_]`)
	pythonCommand  = regexp.MustCompile(`^python3?$`)
)

// entryOf returns the module, or the file, that a start begins with; empty where
// that is not plain to see.
func entryOf(start paas.Start) string {
	words := start.Command
	if start.Shell {
		line := strings.Join(words, " ")
		if strings.ContainsAny(strings.ReplaceAll(line, "&&", ""), "&;|`'\"\\\n") || strings.Contains(line, "$(") || strings.Contains(line, "chdir") {
			return ""
		}
		words = strings.Fields(line)
	}
	served := slices.ContainsFunc(words, func(w string) bool { return path.Base(w) == "gunicorn" })
	for i, w := range words {
		if m := gunicornTarget.FindStringSubmatch(w); m != nil && served && i > 0 {
			return m[1]
		}
		if i > 0 && pythonCommand.MatchString(path.Base(words[i-1])) && strings.HasSuffix(w, ".py") {
			return path.Clean(w)
		}
	}
	return ""
}
