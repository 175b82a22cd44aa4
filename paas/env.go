package paas

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Bounds of an app's settings; beyond them a process could not be started,
// because argv and environment share one area in the kernel.
const (
	MaxEnvVars  = 200
	MaxEnvValue = 32 << 10 // bytes
)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// CheckEnv returns *Invalid with the reason why vars cannot be the settings of
// an app: PORT and names that start with KURAMA_ belong to the platform.
func CheckEnv(vars map[string]string) error {
	if len(vars) > MaxEnvVars {
		return &Invalid{Reason: fmt.Sprintf("%d variables are too many: an app can have %d", len(vars), MaxEnvVars)}
	}
	for name, value := range vars {
		switch {
		case !envName.MatchString(name):
			return &Invalid{Reason: fmt.Sprintf("%q cannot be the name of a variable: use letters, digits and '_', not starting with a digit", name)}
		case name == "PORT" || strings.HasPrefix(name, "KURAMA_"):
			return &Invalid{Reason: fmt.Sprintf("%s is set by Kurama itself: choose another name", name)}
		case len(value) > MaxEnvValue:
			return &Invalid{Reason: fmt.Sprintf("the value of %s has %d bytes: at most %d fit", name, len(value), MaxEnvValue)}
		case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
			return &Invalid{Reason: fmt.Sprintf("the value of %s is not text: encode it, in base64 for example", name)}
		}
	}
	return nil
}
