package build

import (
	"strings"
)

// fromProject takes what a pyproject.toml asks for. What it says besides does
// not change what is installed, so it does not change the layer.
func fromProject(text string) (requirements, error) {
	r := requirements{file: "pyproject.toml"}
	p, err := readProject(text)
	if err != nil {
		return r, err
	}
	r.key = p.asked()
	if len(r.key) > 0 {
		r.text = strings.Repeat("\n", firstLine(text)-1) + strings.Join(r.key, "\n") + "\n"
	}
	return r, nil
}

// firstLine returns the line on which the dependencies begin, counted from 1, so
// that an error can name the place of one. It need not be exact.
func firstLine(text string) int {
	n := 0
	for line := range strings.Lines(text) {
		n++
		bare := strings.ReplaceAll(strings.TrimSpace(line), " ", "")
		if strings.HasPrefix(bare, "dependencies=") || bare == "[tool.poetry.dependencies]" {
			return n
		}
	}
	return 1
}
