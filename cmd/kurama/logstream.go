package main

import (
	"bufio"
	"fmt"
	"io"

	"kurama/logship/record"
)

// maxRecord is the longest line of a log that is followed.
const maxRecord = 16 << 20

// eachRecord calls fn with each record of an NDJSON stream; fn does not keep it.
func eachRecord(in io.Reader, fn func(*record.Record)) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxRecord)
	var r record.Record
	for lines.Scan() {
		if err := record.Decode(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("a line is no record: %w", err)
		}
		fn(&r)
	}
	return lines.Err()
}
