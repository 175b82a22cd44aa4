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
type Invalid struct{ Reason string }

// Error returns the sentence.
func (e *Invalid) Error() string { return e.Reason }
