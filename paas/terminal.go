package paas

import "io"

// Streams are what a command reads from and writes to while it runs.
type Streams struct {
	In       io.Reader   // its input; the end of it ends the command's
	Out, Err io.Writer   // a command on a terminal writes all to Out
	Terminal bool        // In and Out are a terminal
	Term     string      // kind of terminal, as in $TERM
	Sizes    <-chan Size // of the terminal, the first one at once; closed with it
}

// Size is that of a terminal, in characters.
type Size struct {
	Rows uint `json:"rows"`
	Cols uint `json:"cols"`
}
