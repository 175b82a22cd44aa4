package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"kurama/paas"
)

// interruptedExit is the exit code of what was ended by Ctrl-C, as shells have
// it: 128 and the signal's number.
const interruptedExit = 130

// attach runs a command with this process' own input and output: on a terminal
// where both are one, else as pipes.
func (s *session) attach(app string, command []string) error {
	streams := paas.Streams{In: s.cmd.InOrStdin(), Out: s.out, Err: s.err, Term: cmp.Or(os.Getenv("TERM"), "xterm")}
	ctx, cancel := context.WithCancel(s.cmd.Context())
	defer cancel()
	if out, isFile := s.out.(*os.File); isFile && term.IsTerminal(int(out.Fd())) && s.asksOnTerminal() {
		before, err := term.MakeRaw(int(os.Stdin.Fd()))
		if err != nil {
			return err
		}
		defer func() { _ = term.Restore(int(os.Stdin.Fd()), before) }()
		streams.Terminal, streams.Sizes = true, watchSize(ctx, int(out.Fd()))
	}
	end, err := s.Attach(ctx, appPath(app, "terminal"), command, streams)
	switch {
	case errors.Is(err, context.Canceled):
		return exitError{interruptedExit}
	case err != nil:
		return err
	case end.Error != "":
		s.say("kurama: %s", end.Error)
	}
	if end.Exit != 0 {
		return exitError{end.Exit}
	}
	return nil
}

// watchSize gives the size of a terminal, and again whenever that changes,
// until ctx ends.
func watchSize(ctx context.Context, terminal int) <-chan paas.Size {
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, syscall.SIGWINCH)
	sizes := make(chan paas.Size)
	go func() {
		defer signal.Stop(changed)
		for {
			cols, rows, err := term.GetSize(terminal)
			if err == nil {
				select {
				case sizes <- paas.Size{Rows: uint(rows), Cols: uint(cols)}:
				case <-ctx.Done():
					return
				}
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}()
	return sizes
}
