package record

import "strings"

// String returns the name of the level (DEBUG, INFO, WARNING, ERROR,
// CRITICAL), of the next lower one for numbers in between, and "" for
// LevelNone.
func (l Level) String() string {
	switch {
	case l == LevelNone:
		return ""
	case l < LevelInfo:
		return "DEBUG"
	case l < LevelWarning:
		return "INFO"
	case l < LevelError:
		return "WARNING"
	case l < LevelCritical:
		return "ERROR"
	}
	return "CRITICAL"
}

// ParseLevel reads the name of a level in any case; WARN and FATAL are taken
// as Python takes them. Any other name is an *UnknownName.
func ParseLevel(name string) (Level, error) {
	if l := levelOf(name); l != LevelNone {
		return l, nil
	}
	if len(name) <= len("CRITICAL") {
		if l := levelOf(strings.ToUpper(name)); l != LevelNone {
			return l, nil
		}
	}
	return LevelNone, &UnknownName{What: "level", Name: name, Known: "DEBUG, INFO, WARNING, ERROR or CRITICAL"}
}

func levelOf(name string) Level {
	switch name {
	case "INFO":
		return LevelInfo
	case "WARNING", "WARN":
		return LevelWarning
	case "ERROR":
		return LevelError
	case "DEBUG":
		return LevelDebug
	case "CRITICAL", "FATAL":
		return LevelCritical
	}
	return LevelNone
}
