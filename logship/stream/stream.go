// Package stream is the ground between the agent and the sinks: a durable
// stream of batches on JetStream, embedded or external. A batch is published
// once, fsynced before it is acknowledged, and read by every sink in the same
// order and at the sink's own pace.
package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"kurama/internal/config"
)

const (
	streamName    = "RECORDS"
	subjectPrefix = "records."
	recordsHeader = "Kurama-Records"
	reconnectWait = 250 * time.Millisecond
)

// ErrAway says that the server cannot be reached now: nothing was sent.
var ErrAway = errors.New("the stream is away")

// ErrReplaced says that the stream is another one than before, with positions
// that begin anew: its folder was thrown away.
var ErrReplaced = errors.New("the stream was replaced by another one")

// Batch is one message of the stream: the lines of 1…n records.
type Batch struct {
	Seq     uint64    // position on the stream, from 1
	ID      string    // the publisher's id of the batch
	Host    string    // host that published it
	Records int       // number of lines, 0 where the publisher did not say
	At      time.Time // when the stream took it
	Data    []byte    // as it travelled; Lines reads it

	packing string // how Data is packed; "" where it is the lines themselves
}

// Lines returns the records, one NDJSON line each. Packed ones are unpacked
// into scratch, which grows as needed and may be used for one batch after the
// other: they are valid until it is. Data that cannot be unpacked comes as it
// is, so that its reader counts a line that is no record.
func (b *Batch) Lines(scratch *[]byte) []byte {
	lines, err := unpack(b.packing, b.Data, *scratch)
	if err != nil {
		return b.Data
	}
	if b.packing != "" {
		*scratch = lines
	}
	return lines
}

// Stream is a connection to the stream. It is safe for concurrent use.
type Stream struct {
	cfg  config.Stream
	log  *slog.Logger
	conn *nats.Conn
	js   jetstream.JetStream

	making sync.Mutex
	made   bool // the stream was seen or made on this connection
}

// Connect opens the stream at url with the shared secret token ("" where the
// url needs none). It does not wait for the server: it connects, and after a
// loss reconnects, for ever; until then Publish and Bounds fail at once or
// with their ctx, and readers wait. The error tells of an url that cannot be
// used. The stream is made where it is missing. The caller must Close it.
func Connect(_ context.Context, cfg config.Stream, url, token string, log *slog.Logger) (*Stream, error) {
	s := &Stream{cfg: cfg, log: log}
	opts := []nats.Option{
		nats.Name("kurama"), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait), nats.ReconnectJitter(reconnectWait/4, reconnectWait/4),
		nats.IgnoreAuthErrorAbort(), nats.Timeout(2 * time.Second), nats.PingInterval(5 * time.Second), nats.MaxPingsOutstanding(2),
		nats.ReconnectBufSize(-1), // fail at once while away: the agent has its spool
		nats.DisconnectErrHandler(func(c *nats.Conn, err error) {
			s.forget()
			if !c.IsClosed() {
				log.Warn("The stream is away.", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info("The stream is back.") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Debug("The stream reports an error.", "error", err)
		}),
	}
	if token != "" {
		opts = append(opts, nats.Token(token))
	}
	conn, err := nats.Connect(url, opts...)
	if err != nil {
		return nil, fmt.Errorf("connecting to the stream: %w", err)
	}
	js, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("using JetStream: %w", err)
	}
	s.conn, s.js = conn, js
	return s, nil
}

// Close ends the connection. Readers of it end with an error.
func (s *Stream) Close() { s.conn.Close() }

// Connected reports whether the server can be reached now.
func (s *Stream) Connected() bool { return s.conn.IsConnected() }

// Publish stores one batch of the host and returns its position once it is
// durable. A batch with an id that was stored within stream.duplicate is not
// stored again; its former position is returned. ctx bounds the wait; without
// a deadline it is 5 s.
func (s *Stream) Publish(ctx context.Context, host, id string, batch []byte, records int) (uint64, error) {
	msg := newMessage(host, id, records)
	defer pack(msg, batch)()
	for again := false; ; again = true {
		if err := s.ensure(ctx); err != nil {
			return 0, err
		}
		ack, err := s.js.PublishMsg(ctx, msg, jetstream.WithRetryAttempts(0))
		if err == nil {
			return ack.Sequence, nil
		}
		if again || !errors.Is(err, jetstream.ErrNoStreamResponse) {
			return 0, fmt.Errorf("publishing batch %s: %w", id, err)
		}
		s.forget() // the stream itself is gone: make it anew, once
	}
}

// Fits reports whether the server takes a batch of that length, as Publish
// would send it; true while the server was never reached. Publish refuses what
// does not fit with nats.ErrMaxPayload.
func (s *Stream) Fits(host, id string, batch []byte, records int) bool {
	most := s.conn.MaxPayload()
	msg := newMessage(host, id, records)
	defer pack(msg, batch)()
	return most == 0 || int64(msg.Size()-len(msg.Subject)) <= most // the server counts headers and data
}

func newMessage(host, id string, records int) *nats.Msg {
	return &nats.Msg{Subject: subjectPrefix + token(host), Header: nats.Header{
		nats.MsgIdHdr: {id}, recordsHeader: {strconv.Itoa(records)}}}
}

// State is where the stream begins and ends, and which stream it is.
type State struct {
	ID    string // differs from that of any stream that takes its place
	First uint64 // position of the oldest batch; Last + 1 on an empty stream
	Last  uint64 // position of the newest batch
}

// State asks the server for the stream's state.
func (s *Stream) State(ctx context.Context) (State, error) {
	if err := s.ensure(ctx); err != nil {
		return State{}, err
	}
	stream, err := s.js.Stream(ctx, streamName)
	if err != nil {
		return State{}, fmt.Errorf("looking up the stream: %w", err)
	}
	info := stream.CachedInfo()
	return State{ID: info.Created.UTC().Format(time.RFC3339Nano), First: max(info.State.FirstSeq, 1), Last: info.State.LastSeq}, nil
}

// Bounds returns the positions of the oldest and the newest batch. On an
// empty stream first is last + 1.
func (s *Stream) Bounds(ctx context.Context) (first, last uint64, err error) {
	state, err := s.State(ctx)
	return state.First, state.Last, err
}

// LastAt returns when the stream took the newest batch of the host; the zero
// time where it has none.
func (s *Stream) LastAt(ctx context.Context, host string) (time.Time, error) {
	if err := s.ensure(ctx); err != nil {
		return time.Time{}, err
	}
	stream, err := s.js.Stream(ctx, streamName)
	if err != nil {
		return time.Time{}, fmt.Errorf("looking up the stream: %w", err)
	}
	msg, err := stream.GetLastMsgForSubject(ctx, subjectPrefix+token(host))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("looking up the newest batch of %s: %w", host, err)
	}
	return msg.Time, nil
}

// token makes a host's name a single token of a subject.
func token(host string) string {
	clean := strings.Map(func(r rune) rune {
		if r <= ' ' || r == '.' || r == '*' || r == '>' || r == 0x7f {
			return '_'
		}
		return r
	}, host)
	if clean == "" {
		return "_"
	}
	return clean
}

func (s *Stream) forget() {
	s.making.Lock()
	defer s.making.Unlock()
	s.made = false
}

// ensure makes the stream where it is missing and brings its limits up to
// date, once per connection.
func (s *Stream) ensure(ctx context.Context) error {
	if !s.conn.IsConnected() {
		return fmt.Errorf("%w: %s cannot be reached", ErrAway, s.address())
	}
	s.making.Lock()
	defer s.making.Unlock()
	if s.made {
		return nil
	}
	want := s.wanted()
	stream, err := s.js.Stream(ctx, streamName)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		if _, err = s.js.CreateStream(ctx, want); err != nil {
			if _, there := s.js.Stream(ctx, streamName); there == nil {
				err = nil // another role was quicker
			}
		}
	case err == nil:
		have := stream.CachedInfo().Config
		if have.MaxBytes != want.MaxBytes || have.MaxAge != want.MaxAge || have.Duplicates != want.Duplicates || have.Replicas != want.Replicas {
			_, err = s.js.UpdateStream(ctx, want)
		}
	}
	if err != nil {
		return fmt.Errorf("making the stream %s: %w", streamName, err)
	}
	s.made = true
	return nil
}

func (s *Stream) wanted() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: streamName, Description: "Log records of Kurama in batches", Subjects: []string{subjectPrefix + ">"},
		Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld,
		MaxBytes: int64(s.cfg.MaxBytes), MaxAge: s.cfg.MaxAge, Duplicates: s.cfg.Duplicate,
		MaxMsgs: -1, MaxMsgSize: -1, MaxConsumers: -1, Replicas: s.cfg.Replicas, AllowDirect: true,
	}
}

// address returns the server's address without credentials.
func (s *Stream) address() string {
	if urls := s.conn.Servers(); len(urls) > 0 {
		if at := strings.LastIndexByte(urls[0], '@'); at >= 0 {
			return urls[0][at+1:]
		}
		return urls[0]
	}
	return "its address"
}
