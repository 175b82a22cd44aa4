package build

import (
	"regexp"
	"strings"
)

var (
	noVersion = regexp.MustCompile(`No matching distribution found for ([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?([^;(\s]*)`)
	badLine   = regexp.MustCompile(`Invalid requirement: (.*)`)
)

// pipFailure explains why pip failed, in a sentence and in pip's own words.
func pipFailure(want requirements, output []string) error {
	said := pipSaid(output)
	if m := noVersion.FindStringSubmatch(said); m != nil {
		if m[2] == "" {
			return invalid("%s: no package `%s` was found. Check its name, and that the host reaches its package index. pip says: %s", want.place(m[1]), m[1], said)
		}
		return invalid("%s: no version of `%s` matches `%s`. pip says: %s", want.place(m[1]), m[1], m[2], said)
	}
	if m := badLine.FindStringSubmatch(said); m != nil {
		return invalid("`%s` holds a line that pip does not understand. pip says: %s", want.file, said)
	}
	return invalid("The dependencies of `%s` could not be installed. pip says: %s", want.file, said)
}

// maxSaid bounds pip's words in an error; the build log has them all.
const maxSaid = 600

// pipSaid returns pip's errors, or its last lines where it marked none.
func pipSaid(output []string) string {
	var errs []string
	for _, line := range output {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "ERROR: "); ok {
			errs = append(errs, text)
		}
	}
	if len(errs) == 0 {
		errs = output[max(0, len(output)-3):]
	}
	said := strings.Join(errs, " ")
	if len(said) > maxSaid {
		said = strings.ToValidUTF8(said[:maxSaid], "") + "…"
	}
	return said
}
