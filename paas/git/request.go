package git

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Bounds of a request's commands (gitprotocol-common(5), gitprotocol-pack(5)).
const (
	maxPacket   = 65520 // bytes of a pkt-line with its length
	maxCommands = 1000
	maxBand     = maxPacket - 5 // bytes of a packet of a side band
)

// errRequest says that what was sent is none of git's.
var errRequest = errors.New("what was sent is no push of git's")

// command asks for a ref to be moved.
type command struct{ before, after, ref string }

// deletes reports whether the ref is to go.
func (c command) deletes() bool { return strings.Trim(c.after, "0") == "" }

// request is what a push asks for, ahead of its objects.
type request struct {
	commands     []command
	capabilities []string
}

// readRequest reads the commands of a push up to where its objects begin. One
// without commands is a client's way to find out whether it may push.
func readRequest(from io.Reader) (request, error) {
	var r request
	in := bufio.NewReader(from)
	for {
		line, err := readPacket(in)
		if err != nil {
			return r, err
		}
		if line == nil {
			return r, nil
		}
		text, capabilities, first := strings.Cut(strings.TrimSuffix(string(line), "\n"), "\x00")
		if first {
			r.capabilities = strings.Fields(capabilities)
		}
		if strings.HasPrefix(text, "shallow ") {
			continue
		}
		parts := strings.SplitN(text, " ", 3)
		if len(parts) != 3 || !isID(parts[0]) || !isID(parts[1]) || !strings.HasPrefix(parts[2], "refs/") || len(r.commands) == maxCommands {
			return r, errRequest
		}
		r.commands = append(r.commands, command{parts[0], parts[1], parts[2]})
	}
}

func isID(text string) bool {
	_, err := hex.DecodeString(text)
	return err == nil && (len(text) == 40 || len(text) == 64)
}

// readPacket reads a pkt-line; nil is a flush.
func readPacket(in *bufio.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, errRequest
	}
	length, err := strconv.ParseUint(string(head[:]), 16, 16)
	switch {
	case err != nil || length > maxPacket || length > 0 && length < 4:
		return nil, errRequest
	case length == 0:
		return nil, nil
	}
	line := make([]byte, length-4)
	if _, err := io.ReadFull(in, line); err != nil {
		return nil, errRequest
	}
	return line, nil
}

func packet(text string) string { return fmt.Sprintf("%04x%s", len(text)+4, text) }

// band is text on a side band, in as many packets as it takes: 1 is the answer, 2
// what is shown to whoever pushes, 3 the last that they are shown.
func band(number byte, text string) string {
	var b strings.Builder
	for len(text) > 0 {
		part := text[:min(len(text), maxBand)]
		b.WriteString(packet(string(number) + part))
		text = text[len(part):]
	}
	return b.String()
}

// refuse answers a push that no git has seen: every ref is refused, and the
// sentence says why.
func (r request) refuse(w io.Writer, sentence string) error {
	report := packet("unpack ok\n")
	for _, c := range r.commands {
		report += packet("ng " + c.ref + " not deployed\n")
	}
	report += "0000"
	if slices.Contains(r.capabilities, "side-band-64k") {
		report = band(2, sentence+"\n") + band(1, report) + "0000"
	}
	_, err := io.WriteString(w, report)
	return err
}
