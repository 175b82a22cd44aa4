package deploy

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"kurama/internal/config"
	"kurama/paas"
)

var (
	exception = regexp.MustCompile(`^(?:[\w.]+\.)?([A-Z]\w*(?:Error|Exception|Interrupt|Exit|Warning|NotFound))\b(?:: (.*))?$`)
	codePlace = regexp.MustCompile(`^\s*File "(?:/app/)?([^"]+)", line (\d+)`)
)

// quotedLines of the app's output go into a reason; the log has the rest.
const quotedLines = 6

// ended says why a replica's container ended, in a sentence, with the last
// lines that the app wrote.
func (d *Deployer) ended(ctx context.Context, c paas.Container, limits paas.Limits) error {
	lines, err := d.Engine.Logs(context.WithoutCancel(ctx), c.ID, 4*tailLines)
	if err != nil {
		d.Log.Warn("an app's last lines cannot be read", "replica", c.ID, "error", err)
	}
	return &paas.Invalid{Reason: whyEnded(c, limits, lines) + quoted(lines)}
}

func whyEnded(c paas.Container, limits paas.Limits, lines []string) string {
	switch {
	case c.OOMKilled:
		return fmt.Sprintf("Your app used more than its %s of memory and was ended. Load less, or raise app.memory.", config.Bytes(limits.Memory))
	case c.ExitCode == 127:
		return "Your app's command was not found. Put its package into requirements.txt, or mend the Procfile."
	case c.ExitCode == 126:
		return "Your app's command cannot be executed. Make the file executable, or start it with its interpreter."
	}
	if cause := because(lines); cause != "" {
		return fmt.Sprintf("Your app ended at its start%s.%s", cause, readOnly(c.App, lines))
	}
	if c.ExitCode == 0 {
		return "Your app ended by itself, without an error. A web app keeps running: does its last line start the server?"
	}
	return fmt.Sprintf("Your app ended with exit code %d.", c.ExitCode)
}

// because names the last exception in the output, with its place in the app.
func because(lines []string) string {
	place, name, text := "", "", ""
	for _, line := range lines {
		if m := codePlace.FindStringSubmatch(line); m != nil {
			if !strings.HasPrefix(m[1], "/") && !strings.HasPrefix(m[1], "<") {
				place = fmt.Sprintf(" in %s, line %s", m[1], m[2])
			}
			continue
		}
		if m := exception.FindStringSubmatch(strings.TrimRight(line, "\r")); m != nil && m[1] != "SystemExit" {
			name, text = m[1], m[2]
		}
	}
	if name == "" {
		return ""
	}
	if text != "" {
		text = ": " + text
	}
	return fmt.Sprintf(" with %s%s%s", name, place, strings.TrimSuffix(text, "."))
}

var (
	noTable       = regexp.MustCompile(`no such table|relation "[^"]+" does not exist|UndefinedTable`)
	noSQLiteTable = regexp.MustCompile(`no such table`)
)

// noTables says how a database gets its tables, where they are what is missing.
func noTables(app string, lines []string) string {
	if !slices.ContainsFunc(lines, noTable.MatchString) {
		return ""
	}
	if !slices.ContainsFunc(lines, noSQLiteTable.MatchString) {
		return fmt.Sprintf(" Its database has no tables yet. Make them with `kurama run %s -- COMMAND`, and deploy again; or let each release make them: `release: COMMAND` in the Procfile.", app)
	}
	return fmt.Sprintf(" Its database has no tables yet. Keep it on a volume (`kurama volumes %s add instance`, for a file in Flask's instance folder), make the tables with `kurama run %s -- COMMAND`, and deploy again; or let each release make them: `release: COMMAND` in the Procfile.", app, app)
}

// readOnly says where an app can write, where it tried to elsewhere.
func readOnly(app string, lines []string) string {
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "Read-only file system") }) {
		return ""
	}
	return fmt.Sprintf(" An app's source is read-only. Write below /tmp, where it lasts as long as the replica, or keep a folder on a volume: `kurama volumes %s add FOLDER`.", app)
}

// quoted returns the last lines as a block below a sentence.
func quoted(lines []string) string {
	var kept []string
	for _, line := range lines {
		if strings.TrimSpace(line) != "" && !strings.Contains(line, `File "<frozen `) {
			if len(line) > 300 {
				line = strings.ToValidUTF8(line[:300], "") + "…"
			}
			kept = append(kept, line)
		}
	}
	if len(kept) == 0 {
		return ""
	}
	return " It wrote last:\n" + strings.Join(kept[max(0, len(kept)-quotedLines):], "\n")
}
