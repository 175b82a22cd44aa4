package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// prepare finds the checkout and the program in it.
func prepare(out io.Writer) (*bench, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("finding the working folder: %w", err)
	}
	program := filepath.Join(root, "bin/kurama")
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("there is no %s: run `make bench`, or `make build` before, in the folder of go.mod", program)
	}
	return &bench{root: root, program: program, report: newReport(), out: out}, nil
}

// warn tells an error of cleaning up, which spoils no figure.
func (b *bench) warn(err error) {
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		b.say("left behind: %v", err)
	}
}
