package engine

import "io"

// Output is what a container wrote to stdout and stderr, as frames of eight
// bytes head (the first is 1 or 2, the last four are the length) and a payload:
// a time in RFC 3339, a blank, and a line or a part of one.
type Output interface {
	io.ReadCloser
	// Finish says that the container has ended: what is there is read to its end, and then Read returns io.EOF.
	Finish()
	// Faithful reports whether every line comes, once, in the order in which it was written. The engine's API repeats
	// lines of a container that fills its files faster than they are read.
	Faithful() bool
	// Lost returns how many lines were passed over since the last call because the container writes faster than it is
	// read: counted, and guessed where the engine had removed them before.
	Lost() (counted, guessed int)
}

// answer is the output as the engine's API hands it out. It ends by itself.
type answer struct{ io.ReadCloser }

// Finish does nothing: the engine knows.
func (answer) Finish() {}

// Faithful implements Output.
func (answer) Faithful() bool { return false }

// Lost implements Output: what the engine skips it does not tell.
func (answer) Lost() (counted, guessed int) { return 0, 0 }
