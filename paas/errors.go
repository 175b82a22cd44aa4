package paas

import "errors"

// Errors that the parts of the platform agree on. They are wrapped with the
// value they are about.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("already exists")
	ErrConflict = errors.New("conflicts with what is under way")
)

// Invalid is an error that the sender of the input can mend; its text is shown
// to them as it is.
type Invalid struct {
	Reason string
	Text   string // what the sender wrote, where the reason is about a place in it
	At     int    // that place, in characters from 1; 0: none
}

// Error returns the sentence.
func (e *Invalid) Error() string { return e.Reason }
