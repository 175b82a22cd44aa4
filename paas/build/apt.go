package build

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// aptFile at the top of an app names the Debian packages that it needs.
const aptFile = "apt.txt"

const maxPackages = 50

// debianName is how Debian writes the name of a package (policy, 5.6.7). What
// apt-get reads a name for that ends with a minus is its removal.
var debianName = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]{0,60}[a-z0-9+.]$`)

// readApt returns the Debian packages that the app in root asks for, in order;
// none where it has no apt.txt. It returns *paas.Invalid with the line of what is
// none.
func readApt(root *os.Root) ([]string, error) {
	text, there, err := readText(root, aptFile)
	if err != nil || !there {
		return nil, err
	}
	return parseApt(text)
}

func parseApt(text string) ([]string, error) {
	var names []string
	n := 0
	for line := range strings.Lines(text) {
		n++
		bare, _, _ := strings.Cut(line, "#")
		for name := range strings.FieldsSeq(bare) {
			if !debianName.MatchString(name) {
				return nil, invalid("`%s`, line %d: %q is no name of a Debian package. Write names alone, such as `libpq5`: no versions, addresses or options.", aptFile, n, name)
			}
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > maxPackages {
		return nil, invalid("`%s` names %d packages: %d are the limit, what they need themselves aside.", aptFile, len(names), maxPackages)
	}
	return names, nil
}

var (
	missingPackage = regexp.MustCompile(`(?m)^KURAMA missing (\S+)$`)
	largePackages  = regexp.MustCompile(`(?m)^KURAMA size (\d+)$`)
)

// aptFailure explains why the packages of an app could not be installed.
func aptFailure(output []string, most fmt.Stringer) error {
	said := strings.Join(output, "\n")
	if m := missingPackage.FindStringSubmatch(said); m != nil {
		return invalid("`%s`: Debian's %s has no package `%s`. Look its name up on packages.debian.org.", aptFile, suite(), m[1])
	}
	if m := largePackages.FindStringSubmatch(said); m != nil {
		return invalid("The packages of `%s` take %s KiB with all that they need, and %s is the largest that is kept. Ask for fewer, or raise build.layer_max.", aptFile, m[1], most)
	}
	var errs []string
	for _, line := range output {
		if text, ok := strings.CutPrefix(line, "E: "); ok {
			errs = append(errs, text)
		}
	}
	if len(errs) == 0 {
		errs = output[max(0, len(output)-3):]
	}
	text := strings.Join(errs, " ")
	if len(text) > maxSaid {
		text = strings.ToValidUTF8(text[:maxSaid], "") + "…"
	}
	return invalid("The packages of `%s` could not be installed. apt says: %s", aptFile, text)
}
