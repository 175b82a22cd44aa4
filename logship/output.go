package logship

import (
	"context"
	"errors"
	"time"

	"kurama/logship/engine"
	"kurama/logship/record"
	"kurama/logship/stdout"
)

const (
	// lastWords bounds the reading of a container that is gone.
	lastWords = 10 * time.Second
	// reopen is the pause before a running container's output is opened again.
	reopen = 200 * time.Millisecond
	// linesAhead is the number of lines read ahead of the joining.
	linesAhead = 64
)

// output reads what one container writes to stdout and stderr.
type output struct {
	agent  *Agent
	from   *replica
	limit  bound
	since  time.Time         // read from here on
	check  time.Time         // lines before it may have been read before the agent started
	doubt  bool              // the stream could not be asked which
	joiner [2]*stdout.Joiner // of stdout and stderr
	place  [2]place          // likewise
	// faithful says that lines come once and in order; otherwise older ones are repeats.
	faithful bool
	add      func(e *record.Record, position int64, check bool) error
	spilled  func(e stdout.Entry) (r *record.Record, doubt, ok bool, err error)
	failed   error // of the pipeline; ends the reading
}

// place is the last line that was taken of a stream.
type place struct {
	at       time.Time
	taken    int  // lines with that very time
	again    int  // of them, how many came since the output was opened anew
	skipping bool // lines up to the place come again
}

// durable is called by the shipper: lines before the position are safe.
func (o *output) durable(position int64) {
	o.agent.checkpoint.Advance(o.from.id, time.Unix(0, position).UTC())
}

// readOutput reads a container's output until the container is gone and read
// to its end, or ctx ends.
func (a *Agent) readOutput(ctx context.Context, p *replica) {
	o := &output{agent: a, from: p, limit: a.boundOf(p)}
	o.add = func(r *record.Record, position int64, check bool) error {
		return a.batches.add(ctx, r, o, position, check)
	}
	before := spills{agent: a, of: o, from: p, limit: o.limit}
	o.spilled = func(e stdout.Entry) (*record.Record, bool, bool, error) { return before.record(ctx, e) }
	for i := range o.joiner {
		o.joiner[i] = stdout.NewJoiner(a.cfg.JoinDelay, o.emit)
	}
	if !o.resume(ctx) {
		return
	}
	var ended time.Time // start of the run that was read to its end
	for ctx.Err() == nil && o.failed == nil {
		now, gone := p.state()
		if now.Running || gone || now.Started != ended {
			err := o.read(ctx, now.Running)
			if errors.Is(err, engine.ErrGone) || gone {
				return
			}
			if err != nil && ctx.Err() == nil {
				a.log.Debug("A container's output cannot be read.", "replica", p.who.Replica, "error", err)
			} else if !now.Running {
				ended = now.Started
			}
		}
		o.pause(ctx)
	}
}

// resume finds where to go on; false means that the agent ends.
func (o *output) resume(ctx context.Context) bool {
	at, ok := o.agent.checkpoint.At(o.from.id)
	if !ok && !o.from.found {
		return true
	}
	o.since, o.check = at, o.agent.began
	if !ok {
		at = o.agent.began.Add(-ackLag)
	}
	var err error
	o.doubt, err = o.agent.readBack(ctx, at)
	return err == nil
}

// pause waits until there may be more to read.
func (o *output) pause(ctx context.Context) {
	now, gone := o.from.state()
	if gone {
		return
	}
	var again <-chan time.Time
	if now.Running {
		timer := time.NewTimer(reopen)
		defer timer.Stop()
		again = timer.C
	}
	select {
	case <-ctx.Done():
	case <-o.from.changed:
	case <-again:
	}
}

// read reads from o.since to the end; with follow that is the container's.
func (o *output) read(ctx context.Context, follow bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	body, err := o.agent.engine.Logs(ctx, o.from.id, o.since, follow)
	if err != nil {
		return err
	}
	defer body.Close()
	for i := range o.place {
		o.place[i].again, o.place[i].skipping = 0, !o.place[i].at.IsZero()
	}
	lines, ended := make(chan stdout.Line, linesAhead), make(chan error, 1)
	go func() {
		defer close(lines)
		ended <- stdout.Read(body, int(o.agent.cfg.MaxLine), func(l stdout.Line) error {
			select {
			case lines <- l:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	o.faithful = body.Faithful()
	o.consume(ctx, lines, body, func() {
		cancel()
		body.Close()
	})
	o.tellLost(body)
	return <-ended
}

// consume takes lines until their channel is closed. It tells body when the
// container has ended, and calls stop when the lines should end.
func (o *output) consume(ctx context.Context, lines <-chan stdout.Line, body engine.Output, stop func()) {
	quiet := time.NewTimer(o.agent.cfg.JoinDelay)
	defer quiet.Stop()
	var last <-chan time.Time
	changed := func() {
		now, gone := o.from.state()
		if !now.Running {
			body.Finish()
		}
		if gone && last == nil {
			last = time.After(lastWords)
		}
	}
	changed() // it may have ended before its output was opened
	for {
		select {
		case l, ok := <-lines:
			if !ok {
				o.flush()
				return
			}
			o.take(l)
			o.tellLost(body)
			if o.failed != nil {
				stop()
			}
			quiet.Reset(o.agent.cfg.JoinDelay)
		case <-quiet.C:
			o.flush()
		case <-o.from.changed:
			changed()
		case <-last:
			stop()
		case <-ctx.Done():
			stop()
			for range lines {
			}
			return
		}
	}
}

func (o *output) flush() {
	for _, j := range o.joiner {
		j.Flush()
	}
}

// take joins one line, unless it was taken before the output was opened anew.
func (o *output) take(l stdout.Line) {
	p := &o.place[index(l.Stderr)]
	switch {
	case l.At.Before(p.at) && (p.skipping || o.repeats(p)):
		return
	case l.At.Equal(p.at):
		if p.again++; p.again <= p.taken {
			return
		}
		p.taken = p.again
	default:
		p.at, p.taken, p.again, p.skipping = l.At, 1, 1, false
	}
	l.Nth = p.taken - 1
	o.joiner[index(l.Stderr)].Add(l)
	o.since = o.place[0].at
	if other := o.place[1].at; o.since.IsZero() || !other.IsZero() && other.Before(o.since) {
		o.since = other
	}
}

// repeats reports whether a line that is older than the last one was taken
// before: the engine's API goes back to the start of a file at times. Only
// where the last line lies in the future was the clock set back instead.
func (o *output) repeats(p *place) bool {
	if o.faithful || p.at.After(time.Now()) {
		return false
	}
	p.skipping, p.again = true, 0
	return true
}

func index(stderr bool) int {
	if stderr {
		return 1
	}
	return 0
}

// emit sends one entry. With it, all lines before its position are sent.
func (o *output) emit(e stdout.Entry) {
	if o.failed != nil {
		return
	}
	position := e.Last.UnixNano() + 1
	if first, ok := o.joiner[index(!e.Stderr)].Pending(); ok {
		position = min(position, first.UnixNano())
	}
	r, check, ok, err := o.spilled(e)
	if !ok {
		r = o.record(e)
		check = o.doubt && r != nil && r.Time.Before(o.check)
	}
	if o.failed = err; err == nil {
		o.failed = o.add(r, position, check)
	}
}

// record makes the record of an entry; nil where it is safe already or over
// the app's rate.
func (o *output) record(e stdout.Entry) *record.Record {
	o.agent.count.lines.Inc()
	r := &record.Record{Time: e.At, ID: outputID(o.from.id, e), Kind: record.KindLog, Level: e.Level, Exc: e.Exc,
		Msg: cutText(e.Msg, int(o.agent.cfg.MaxLine), e.Cut), Extra: []byte(`{"stream":"stdout"}`)}
	if e.Stderr {
		r.Extra = []byte(`{"stream":"stderr"}`)
	}
	if e.At.Before(o.check) && o.agent.seen.has(r.ID) {
		return nil
	}
	now := time.Now()
	if cause := o.limit.refuses(now, len(e.Msg)+len(e.Exc)+e.Cut, o.agent.causes); cause != "" {
		o.agent.lose(o, o.from, cause, 1)
		return nil
	}
	o.from.stamp(r, now)
	r.Time = e.At // the engine's clock, however long the agent was away
	clean(r, int(o.agent.cfg.MaxLine))
	return r
}
