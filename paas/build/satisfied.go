package build

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var specifier = regexp.MustCompile(`^\s*(>=|<=|==|!=|~=|<|>)\s*([0-9]+(?:\.[0-9]+)*)\s*$`)

// satisfied tells whether every line asks only for what the base image has, by
// name and plain version numbers, so that nothing needs to be installed. In
// doubt the answer is no, and pip decides.
func satisfied(lines []string, have map[string]string) bool {
	for _, line := range lines {
		name := requirement.FindString(line)
		version, ok := have[normal(name)]
		if name == "" || !ok {
			return false
		}
		rest := strings.TrimSpace(line[len(name):])
		if rest == "" {
			continue
		}
		for part := range strings.SplitSeq(rest, ",") {
			if !meets(version, part) {
				return false
			}
		}
	}
	return true
}

func meets(version, part string) bool {
	m := specifier.FindStringSubmatch(part)
	have, ok := numbers(version)
	if m == nil || !ok {
		return false
	}
	want, _ := numbers(m[2])
	order := slices.Compare(padded(have, len(want)), padded(want, len(have)))
	switch m[1] {
	case ">=":
		return order >= 0
	case "<=":
		return order <= 0
	case "==":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order < 0
	case ">":
		return order > 0
	}
	// ~= 2.2.1 is >= 2.2.1 within 2.2
	return order >= 0 && len(want) > 1 && len(have) >= len(want)-1 && slices.Equal(have[:len(want)-1], want[:len(want)-1])
}

// padded gives a version at least n numbers, because 2.2 equals 2.2.0.
func padded(v []int, n int) []int {
	if len(v) >= n {
		return v
	}
	return append(slices.Clone(v), make([]int, n-len(v))...)
}

func numbers(version string) ([]int, bool) {
	var found []int
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, false
		}
		found = append(found, n)
	}
	return found, true
}
