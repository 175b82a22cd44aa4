package alert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"kurama/logship/record"
	"kurama/logship/stream"
)

const (
	readerName = "alert"
	// lookBackMin is how much is read again after a restart, to fill the windows
	// of a minute; more where a condition has a longer one.
	lookBackMin = 90 * time.Second
	tooOld      = 10 * time.Minute // what is further back is not evaluated any more
	setBack     = 5 * time.Second  // a clock that goes back further is followed

	sinkSeen = "alert"      // position up to which all is evaluated
	sinkFrom = "alert.from" // position from which to read after a restart
)

// watcher is one pass over the stream.
type watcher struct {
	*Service
	reader *stream.Reader
	stream string // which one is read
	seen   *watch
	rules  map[string]*running
	loaded time.Time // when the rules were read
	stored time.Time // when the position was written
	valued time.Time // when the values were written

	clock    time.Time // of the last evaluation
	away     bool      // the stream was away: the time since clock was not watched
	back     time.Time // when it was seen to be back; zero: it is not, or was not away
	live     bool      // all that is on the stream was read: the clock is the time
	target   uint64    // position at which live is looked at again
	warm     uint64    // up to here all was evaluated before the restart
	seq      uint64    // position read
	from     uint64    // position to read from after a restart
	lookBack time.Duration
	silences []Silence
	wishes   []wish
	first    uint64 // position of the first batch that was observed
	batches  []mark // positions and times of the last batches, one a second
	scratch  []byte // memory of a batch
}

type mark struct {
	seq uint64
	at  time.Time
}

// open reads the stored positions and opens the reader.
func (w *watcher) open(ctx context.Context) error {
	if err := w.seen.kinds.load(ctx, w.opts.Pool); err != nil {
		return err
	}
	if err := w.load(ctx); err != nil { // before anything is read: the windows need it
		return err
	}
	state, err := w.opts.Stream.State(ctx)
	if err != nil {
		return err
	}
	w.stream = state.ID
	if w.warm, err = w.position(ctx, sinkSeen, state); err != nil {
		return err
	}
	if w.from, err = w.position(ctx, sinkFrom, state); err != nil {
		return err
	}
	if w.warm == 0 { // what was there before the service is not told of
		w.warm = state.Last
	}
	w.target = state.Last
	if w.from == 0 { // the first start
		w.reader, err = w.opts.Stream.TailSince(ctx, w.opts.Now().Add(-w.lookBack))
	} else {
		w.reader, err = w.opts.Stream.Reader(ctx, readerName, max(w.from, state.First), state.ID)
	}
	return err
}

// position returns a stored position on the stream that there is now; 0 where
// there is none, or it is one on a stream that was replaced since.
func (w *watcher) position(ctx context.Context, sink string, now stream.State) (seq uint64, err error) {
	var of string
	err = w.opts.Pool.QueryRow(ctx, "SELECT stream, seq FROM sink_positions WHERE sink=$1", sink).Scan(&of, &seq)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("reading the position of %s: %w", sink, err)
	case of != "" && of != now.ID || seq > now.Last:
		w.log.Error("The stream was replaced; alerts begin anew on the present one.", "position", seq, "last", now.Last)
		return 0, nil
	}
	return seq, nil
}

// runOnce reads what is there and evaluates.
func (w *watcher) runOnce(ctx context.Context) error {
	batches, err := w.reader.Next(ctx, 256, w.pause())
	if err != nil {
		return err
	}
	for _, b := range batches {
		if err := w.take(ctx, b); err != nil {
			return err
		}
	}
	if len(batches) > 0 {
		if err := w.reader.Ack(w.seq); err != nil {
			return err
		}
	}
	if !w.opts.Stream.Connected() {
		w.live, w.away, w.back = false, true, time.Time{}
		w.metrics.ready.Store(false)
		return nil
	}
	if !w.live && !w.awaitsOthers(len(batches) > 0) {
		if err := w.catchUp(ctx); err != nil {
			return err
		}
	}
	if w.live {
		return w.evaluateUntil(ctx, w.opts.Now())
	}
	return nil
}

// awaitsOthers reports whether the stream has come back but nothing on it yet:
// those who write to it may find it again later than this service, and until
// then the last samples are old for no reason of the app's.
func (w *watcher) awaitsOthers(got bool) bool {
	now := w.opts.Now()
	switch {
	case !w.away:
		return false
	case w.back.IsZero():
		w.back = now
	}
	return !got && now.Sub(w.back) < sampleAge
}

// pause is how long to wait for a batch: until the next evaluation.
func (w *watcher) pause() time.Duration {
	if !w.live {
		return 100 * time.Millisecond
	}
	return min(max(w.clock.Add(w.cfg.Interval).Sub(w.opts.Now()), 5*time.Millisecond), w.cfg.Interval)
}

// catchUp finds out whether everything on the stream was read.
func (w *watcher) catchUp(ctx context.Context) error {
	if w.seq < w.target {
		return nil
	}
	_, last, err := w.opts.Stream.Bounds(ctx)
	if err != nil {
		return nil // away again: the next round sees it
	}
	w.target = last
	w.live = w.seq >= last
	w.metrics.ready.Store(w.live)
	return nil
}

// take brings the clock up to the batch's time and then observes its records.
func (w *watcher) take(ctx context.Context, b stream.Batch) error {
	age := w.opts.Now().Sub(b.At)
	switch {
	case age > tooOld+w.lookBack:
		w.noted(b)
		return nil
	case b.Seq <= w.warm:
		w.clock = latest(w.clock, b.At)
	case age <= tooOld:
		if err := w.evaluateUntil(ctx, b.At); err != nil {
			return err
		}
	}
	if w.first == 0 {
		w.first = b.Seq
	}
	err := record.EachWanted(b.Lines(&w.scratch), func(line []byte, owner *record.Record) bool {
		return !w.observedBy(line, owner, b.At)
	}, func(_ []byte, r *record.Record) error {
		if w.opts.Gate.Takes(r) {
			w.seen.observe(r, b.At)
		}
		return nil
	})
	if err != nil { // the rest of a batch that cannot be read is left out: no retry would mend it
		w.log.Warn("A batch could not be read to its end.", "seq", b.Seq, "host", b.Host, "error", err)
	}
	w.noted(b)
	return nil
}

// observedBy observes a record of which its beginning tells all that matters,
// and reports whether it does: most are log lines that are no warning, of apps
// whose conditions ask for nothing that stands in them. Where whether the
// service takes the record depends on more, it is not looked at here.
func (w *watcher) observedBy(line []byte, owner *record.Record, at time.Time) bool {
	if owner.Kind != record.KindLog || owner.Level >= record.LevelWarning || bytes.Contains(line, excKey) || w.opts.Gate.Decides(owner.Tenant, owner.App) {
		return false
	}
	if a := w.seen.apps[appKey{owner.Tenant, owner.App}]; a != nil && len(a.meters) > 0 {
		return false
	}
	w.seen.observe(owner, at)
	return true
}

// excKey is in each line that tells of an exception.
var excKey = []byte(`"exc"`)

// noted keeps the position of b, and moves the one to begin from after a
// restart behind lookBack.
func (w *watcher) noted(b stream.Batch) {
	w.seq = b.Seq
	w.metrics.position.Store(b.Seq)
	w.metrics.records.Add(float64(b.Records))
	if n := len(w.batches); n > 0 && w.batches[n-1].at.Sub(b.At) > setBack {
		w.batches = w.batches[:0]
	}
	if n := len(w.batches); n == 0 || b.At.Sub(w.batches[n-1].at) >= time.Second {
		w.batches = append(w.batches, mark{b.Seq, b.At})
	}
	for len(w.batches) > 1 && !w.batches[1].at.After(b.At.Add(-w.lookBack)) {
		w.batches = w.batches[1:]
	}
	w.from = w.batches[0].seq
}

// evaluateUntil evaluates at every interval up to t. Time that was not watched
// is passed over, and counts for no wait.
func (w *watcher) evaluateUntil(ctx context.Context, t time.Time) error {
	gap := t.Sub(w.clock) - w.cfg.Interval
	switch {
	case w.clock.IsZero(), w.away, gap > tooOld, gap < -setBack-w.cfg.Interval:
		if !w.away && w.seen.stepped(t) {
			w.log.Warn("The clock was stepped: alerts watch anew from now on.", "by", gap)
			w.seen.anew(t)
		}
		if err := w.load(ctx); err != nil {
			return err
		}
		for _, r := range w.rules {
			r.skip(w.clock, t)
		}
		w.clock, w.away = t.Add(-w.cfg.Interval), false
	}
	for next := w.clock.Add(w.cfg.Interval); !next.After(t); next = w.clock.Add(w.cfg.Interval) {
		if err := w.evaluate(ctx, next); err != nil {
			return err
		}
		w.clock = next
	}
	return nil
}
