package build

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// procfile is what an app's Procfile says.
type procfile struct {
	there   bool
	web     string   // line for the shell that starts the app
	release string   // line for the shell that is run before each release
	others  []string // process types that Kurama does not run
}

// procfile reads the app's Procfile; without one it is empty.
func (d detector) procfile() (procfile, error) {
	text, err := d.read("Procfile")
	if errors.Is(err, fs.ErrNotExist) {
		return procfile{}, nil
	}
	if err != nil {
		return procfile{}, fmt.Errorf("Procfile: %w", err)
	}
	p := procfile{there: true}
	for line := range strings.Lines(text) {
		kind, command, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || strings.HasPrefix(kind, "#") {
			continue
		}
		command = strings.TrimSpace(command)
		switch kind = strings.TrimSpace(kind); {
		case kind == "web" && p.web == "":
			p.web = command
		case kind == "release" && p.release == "":
			p.release = command
		case kind != "web" && kind != "release":
			p.others = append(p.others, kind)
		}
	}
	return p, nil
}

// lacksWeb returns *paas.Invalid for a Procfile without the process that is the
// app. One that only names what to run before a release is none of those.
func (p procfile) lacksWeb() error {
	switch {
	case !p.there || p.web != "" || p.release != "" && len(p.others) == 0:
		return nil
	case len(p.others) > 0:
		return invalid("`Procfile` has no line `web: …` but %s. Kurama starts the process type web: add it.", strings.Join(p.others, ", "))
	}
	return invalid("`Procfile` has no line `web: COMMAND`. Add one, or remove the file and let Kurama find the app.")
}
