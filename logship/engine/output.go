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
}

// answer is the output as the engine's API hands it out. It ends by itself.
type answer struct{ io.ReadCloser }

// Finish does nothing: the engine knows.
func (answer) Finish() {}

// Faithful implements Output.
func (answer) Faithful() bool { return false }
