package logship

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"kurama/logship/spool"
)

// offer publishes a batch; with check only those of its records that are not
// on the stream yet. A record that no message can carry is counted as lost
// once all the others are on the stream, so that no retry counts it again.
func (s *shipper) offer(ctx context.Context, e spool.Entry, data []byte, check bool) error {
	var long []byte
	if err := s.offerPart(ctx, e, data, check, &long); err != nil {
		return err
	}
	if len(long) > 0 {
		s.lose(long, "each is longer than a message on the stream may be (its max_payload)")
	}
	return nil
}

// offerPart publishes a batch or a part of one. What the stream's server finds
// too long is halved, always as a whole and not what check leaves of it: a part
// has the same records, and so the same id, at each attempt.
func (s *shipper) offerPart(ctx context.Context, e spool.Entry, data []byte, check bool, long *[]byte) (err error) {
	if check && !s.stream.Fits(s.host, e.ID, data, e.Records) {
		return s.offerHalves(ctx, e, data, check, long)
	}
	rest, records := data, e.Records
	if check {
		if rest, records, err = s.seen.missing(ctx, e, data); err != nil {
			return err
		}
	}
	if records == 0 {
		return nil
	}
	if err = s.publish(ctx, e.ID, rest, records); errors.Is(err, nats.ErrMaxPayload) {
		return s.offerHalves(ctx, e, data, check, long)
	}
	return err
}

// offerHalves publishes one half after the other, each with an id of its own.
// A single record goes to long.
func (s *shipper) offerHalves(ctx context.Context, e spool.Entry, data []byte, check bool, long *[]byte) error {
	first, second := halve(data)
	if len(first) == 0 {
		*long = append(*long, data...)
		return nil
	}
	part := e
	part.ID, part.Records = e.ID+".0", bytes.Count(first, []byte("\n"))
	if err := s.offerPart(ctx, part, first, check, long); err != nil {
		return err
	}
	part.ID, part.Records = e.ID+".1", e.Records-part.Records
	if err := s.offerPart(ctx, part, second, check, long); err != nil {
		return fmt.Errorf("a half of batch %s is on the stream: %v", e.ID, err) // no stream.ErrAway: something was sent
	}
	return nil
}

// halve cuts lines in two near their middle; first is empty where there is only
// one line.
func halve(lines []byte) (first, second []byte) {
	middle := len(lines) / 2
	cut := bytes.LastIndexByte(lines[:middle], '\n') + 1
	if cut == 0 {
		if end := bytes.IndexByte(lines[middle:], '\n') + 1; end > 0 && middle+end < len(lines) {
			cut = middle + end
		}
	}
	return lines[:cut], lines[cut:]
}
