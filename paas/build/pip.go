package build

import (
	"regexp"
	"strings"
)

var (
	noVersion = regexp.MustCompile(`No matching distribution found for ([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?([^;(\s]*)`)
	badLine   = regexp.MustCompile(`Invalid requirement: (.*)`)
	building  = regexp.MustCompile(`^\s*(?:Collecting|Building wheel for|ERROR: Failed building wheel for) ([A-Za-z0-9][A-Za-z0-9._-]*)`)
	compiling = regexp.MustCompile(`^\s*((?:Error|error|fatal error|\w+Error): .*|.*: fatal error: .*)$`)
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
	if name, cause := notCompiled(output); name != "" {
		return invalid("%s: there is no ready-made wheel of `%s` for this Python, and making one failed: %s. Ask for a version that comes as a wheel%s.",
			want.place(name), name, cause, binaryOf[normal(name)])
	}
	return invalid("The dependencies of `%s` could not be installed. pip says: %s", want.file, said)
}

// binaryOf names packages whose wheels go by another name.
var binaryOf = map[string]string{
	"psycopg2": ", such as `psycopg2-binary`", "mysqlclient": ", or use `pymysql`", "mysql-python": ", or use `pymysql`", "uwsgi": ", or let gunicorn serve the app",
}

// notCompiled returns the package that pip tried to compile, and what the
// compiler or its setup.py said.
func notCompiled(output []string) (name, cause string) {
	inside := false
	for _, line := range output {
		switch m := building.FindStringSubmatch(line); {
		case m != nil && !inside:
			name = m[1]
		case strings.Contains(line, "subprocess-exited-with-error"):
			inside = true
		}
		if m := compiling.FindStringSubmatch(line); m != nil && inside && cause == "" && !strings.Contains(line, "subprocess-exited-with-error") {
			cause = strings.TrimRight(strings.TrimSpace(m[1]), ".")
		}
	}
	if !inside || cause == "" {
		return "", ""
	}
	return name, cause
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
