package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gorilla/websocket"

	"kurama/paas"
)

// Bounds of a terminal.
const (
	terminalPing    = 20 * time.Second
	terminalSilence = 60 * time.Second // without an answer to a ping, then it is given up
	terminalMessage = 64 << 10         // bytes of the largest message that is taken
	maxCommand      = 200              // words of a command
)

// The first byte of a binary message from the command says where it wrote.
const (
	fromOut byte = 1
	fromErr byte = 2
)

var terminalKind = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,39}$`)

type terminalRequest struct {
	InApp
	TTY  bool   `query:"tty" doc:"Give the command a terminal; else its input and output are pipes"`
	Term string `query:"term" default:"xterm" doc:"Kind of terminal, as in $TERM"`
	Rows uint   `query:"rows" maximum:"1000"`
	Cols uint   `query:"cols" maximum:"1000"`
}

// terminalStart is the caller's first message. The command is no part of the address:
// those are written down on the way, and commands may hold what is secret.
type terminalStart struct {
	Command []string `json:"command"`
}

// terminalWord is a later text message of the caller: the size of the terminal, or
// that the input has ended.
type terminalWord struct {
	paas.Size
	EOF bool `json:"eof"`
}

func (a *API) terminalRoutes() {
	register(a, huma.Operation{OperationID: "open-terminal", Method: http.MethodGet, Path: "/apps/{app}/terminal",
		Summary: "Run a command beside the app over a websocket, with its input and a terminal",
		Responses: map[string]*huma.Response{"101": {Description: "A websocket. The first message to it is a text, {command:[…]}. Binary messages to the command are its input; from it, 1 (stdout) or 2 (stderr) and what it wrote. " +
			"Text messages: {rows,cols} and {eof:true} to it, a last one {end,exit,error} from it."}}},
		paas.RoleDeveloper, a.terminal)
}

func (a *API) terminal(ctx context.Context, in *terminalRequest) (*huma.StreamResponse, error) {
	c := callOf(ctx)
	if err := a.hasRelease(ctx, in.App); err != nil {
		return nil, err
	}
	if !websocket.IsWebSocketUpgrade(c.r) {
		return nil, &paas.Invalid{Reason: "A terminal is a websocket. Use `kurama run`, or POST …/run for a command without input."}
	}
	if !terminalKind.MatchString(in.Term) {
		in.Term = "xterm"
	}
	return a.overSocket(ctx, c, func(ctx context.Context, t *terminal) (int, error) {
		command, err := t.start()
		if err != nil {
			return noExit, err
		}
		return a.deps.Deployer.Attach(ctx, c.tenant, in.App, command, t.streams(in))
	}), nil
}

// overSocket answers with a websocket, and has work serve it for as long as its
// caller is there and may have it.
func (a *API) overSocket(ctx context.Context, c *call, work func(context.Context, *terminal) (exit int, err error)) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(huma.Context) {
		upgrader := websocket.Upgrader{HandshakeTimeout: headerPatience} // refuses another site's page
		conn, err := upgrader.Upgrade(hijackable{c.w}, c.r, nil)
		if err != nil {
			return // it has been answered
		}
		defer conn.Close()
		a.note(c, http.StatusSwitchingProtocols) // before anything can be done in it
		ctx, cancel := context.WithTimeoutCause(ctx, a.cfg.TerminalTime, &paas.Invalid{Reason: fmt.Sprintf(
			"The terminal was closed after %s, which is as long as one stays open here (console.terminal_time). Open another one.", a.cfg.TerminalTime)})
		defer cancel()
		ctx, gone := context.WithCancelCause(ctx)
		defer gone(nil)
		defer context.AfterFunc(a.streams, func() { gone(nil) })()
		t := newTerminal(conn, gone)
		go t.ping(a.ping, func() error { return a.stillMay(c) })
		exit, err := work(ctx, t)
		t.end(a.runEnd(ctx, exit, err))
	}}
}

// stillMay returns *paas.Invalid where a terminal's caller may not have it any
// more: the token or the session has ended, or the role is another one. While
// that cannot be found out, nothing changes.
func (a *API) stillMay(c *call) error {
	ctx, cancel := context.WithTimeout(c.r.Context(), noteTimeout)
	defer cancel()
	again := &call{r: c.r.WithContext(ctx)}
	err := a.authorize(again, paas.RoleDeveloper)
	if err == nil && again.tenant != c.tenant {
		err = paas.ErrDenied
	}
	var p *Problem
	if err == nil || !errors.As(a.problem(ctx, err), &p) || p.Status >= http.StatusInternalServerError {
		return nil
	}
	return &paas.Invalid{Reason: "The terminal was closed, since you may not have it any more. " + p.Detail}
}

// runEnd is what is told at the end of a command.
func (a *API) runEnd(ctx context.Context, exit int, err error) runEnd {
	var p *Problem
	switch {
	case err == nil:
		return runEnd{End: true, Exit: exit}
	case ctx.Err() != nil:
		if why, ok := errors.AsType[*paas.Invalid](context.Cause(ctx)); ok {
			return runEnd{End: true, Exit: noExit, Error: why.Reason}
		}
		return runEnd{End: true, Exit: noExit, Error: "The command was ended: the connection broke off, or Kurama is stopping."}
	case errors.As(a.problem(ctx, err), &p):
		return runEnd{End: true, Exit: noExit, Error: p.Detail}
	}
	return runEnd{End: true, Exit: noExit, Error: err.Error()}
}

// hijackable lets a connection be taken over through the writers around it.
type hijackable struct{ http.ResponseWriter }

// Hijack takes the connection over.
func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(h.ResponseWriter).Hijack()
}

// terminal is one websocket with a command at the other end.
type terminal struct {
	conn   *websocket.Conn
	gone   context.CancelCauseFunc // called when the caller is
	in     *io.PipeReader
	feed   *io.PipeWriter
	sizes  chan paas.Size
	closed chan struct{}
	mu     sync.Mutex // held while a message is written
}

func newTerminal(conn *websocket.Conn, gone context.CancelCauseFunc) *terminal {
	t := &terminal{conn: conn, gone: gone, sizes: make(chan paas.Size, 1), closed: make(chan struct{})}
	t.in, t.feed = io.Pipe()
	conn.SetReadLimit(terminalMessage)
	return t
}

// start waits for the command.
func (t *terminal) start() ([]string, error) {
	_ = t.conn.SetReadDeadline(time.Now().Add(headerPatience))
	var first terminalStart
	kind, message, err := t.conn.ReadMessage()
	if err != nil || kind != websocket.TextMessage || json.Unmarshal(message, &first) != nil || len(first.Command) == 0 || len(first.Command) > maxCommand {
		return nil, &paas.Invalid{Reason: fmt.Sprintf(`No command came. The first message is a text, {"command":["flask","shell"]}, of at most %d words and %d KiB.`, maxCommand, terminalMessage>>10)}
	}
	return first.Command, nil
}

// streams begins to read from the caller.
func (t *terminal) streams(in *terminalRequest) paas.Streams {
	if in.Rows > 0 && in.Cols > 0 {
		t.sizes <- paas.Size{Rows: in.Rows, Cols: in.Cols}
	}
	go t.read()
	return paas.Streams{In: t.in, Out: stream{t, fromOut}, Err: stream{t, fromErr}, Terminal: in.TTY, Term: in.Term, Sizes: t.sizes}
}

// read takes the caller's messages until the connection ends.
func (t *terminal) read() {
	defer t.gone(nil)
	defer t.feed.Close()
	alive := func(string) error { return t.conn.SetReadDeadline(time.Now().Add(terminalSilence)) }
	t.conn.SetPongHandler(alive)
	for {
		_ = alive("")
		kind, message, err := t.conn.ReadMessage()
		if err != nil {
			return
		}
		if kind == websocket.BinaryMessage {
			_, _ = t.feed.Write(message) // fails where the command has ended, which is told by itself
			continue
		}
		var w terminalWord
		if json.Unmarshal(message, &w) != nil {
			return
		}
		if w.EOF {
			_ = t.feed.Close()
		}
		if w.Rows > 0 && w.Cols > 0 {
			t.resize(w.Size)
		}
	}
}

// resize leaves the newest size for the command.
func (t *terminal) resize(s paas.Size) {
	select {
	case <-t.sizes:
	default:
	}
	t.sizes <- s
}

// ping asks at each turn whether the caller is there, and may be.
func (t *terminal) ping(every time.Duration, may func() error) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-t.closed:
			return
		case <-ticker.C:
			if t.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writePatience)) != nil {
				t.gone(nil)
				return
			}
			if err := may(); err != nil {
				t.gone(err)
				return
			}
		}
	}
}

// send writes one message; only one writes at a time.
func (t *terminal) send(kind int, message []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = t.conn.SetWriteDeadline(time.Now().Add(writePatience))
	return t.conn.WriteMessage(kind, message)
}

// end tells how the command ended and says goodbye.
func (t *terminal) end(e runEnd) {
	close(t.closed)
	_ = t.in.Close() // whatever was to be read by it
	text, _ := json.Marshal(e)
	if t.send(websocket.TextMessage, text) == nil {
		_ = t.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(writePatience))
	}
}

// stream is one of the command's outputs.
type stream struct {
	t    *terminal
	from byte
}

// Write sends p on.
func (s stream) Write(p []byte) (int, error) {
	if err := s.t.send(websocket.BinaryMessage, append([]byte{s.from}, p...)); err != nil {
		s.t.gone(nil)
		return 0, err
	}
	return len(p), nil
}
