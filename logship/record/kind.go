package record

import "fmt"

// String returns the name of the kind as it is on the wire, "" for
// KindUnknown.
func (k Kind) String() string {
	switch k {
	case KindRequest:
		return "request"
	case KindLog:
		return "log"
	case KindSample:
		return "sample"
	case KindEvent:
		return "event"
	case KindProfile:
		return "profile"
	}
	return ""
}

// ParseKind reads the name of a kind. Any other name is an *UnknownName.
func ParseKind(name string) (Kind, error) {
	if k := kindOf(name); k != KindUnknown {
		return k, nil
	}
	return KindUnknown, &UnknownName{What: "kind", Name: name, Known: "request, log, sample, event or profile"}
}

func kindOf(name string) Kind {
	switch name {
	case "request":
		return KindRequest
	case "log":
		return KindLog
	case "sample":
		return KindSample
	case "event":
		return KindEvent
	case "profile":
		return KindProfile
	}
	return KindUnknown
}

// UnknownName is the error of ParseLevel and ParseKind.
type UnknownName struct {
	What  string // level or kind
	Name  string // the name that was given
	Known string // the names there are, as a list to read
}

// Error says which name is unknown and which are known.
func (e *UnknownName) Error() string {
	return fmt.Sprintf("%q is not a %s: use %s", e.Name, e.What, e.Known)
}
