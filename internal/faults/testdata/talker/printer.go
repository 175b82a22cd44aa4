package main

import (
	"bufio"
	"fmt"
	"os"
)

// printer writes many lines with few calls.
type printer struct{ out *bufio.Writer }

func newPrinter() printer { return printer{bufio.NewWriterSize(os.Stdout, 64<<10)} }

func (p printer) line(series string, n int) { fmt.Fprintf(p.out, "%s:%d %s\n", series, n, filler) }

func (p printer) flush() { _ = p.out.Flush() }

// copy writes the file at path as it is; none for "".
func (p printer) copy(path string) {
	text, err := os.ReadFile(path)
	if err != nil && path != "" {
		fmt.Fprintln(p.out, err)
	}
	_, _ = p.out.Write(text)
}
