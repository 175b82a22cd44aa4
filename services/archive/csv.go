package archive

import (
	"encoding/csv"
	"io"
	"strconv"

	"kurama/logship/record"
)

// columns are the names of a record's parts, in the order of the wire form.
var columns = []string{"ts", "id", "kind", "level", "tenant", "app", "release", "replica", "method", "route", "url", "status", "msg",
	"cpu", "disk", "swap", "mem", "dur", "queue", "cpu_ms", "db_ms", "bytes", "req", "exc", "extra"}

// csvWriter writes rows as RFC 4180 says. What is not known is empty.
type csvWriter struct {
	out  *csv.Writer
	head bool
	row  []string
}

func newCSVWriter(w io.Writer) *csvWriter {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	return &csvWriter{out: out}
}

// Line implements lineWriter. A line that is no record is left out.
func (c *csvWriter) Line(line []byte) error {
	var r record.Record
	if record.Decode(line, &r) != nil {
		return nil
	}
	if err := c.names(); err != nil {
		return err
	}
	level := ""
	if r.Level != 0 {
		level = r.Level.String()
	}
	c.row = append(c.row[:0], r.Time.UTC().Format(lineTime), r.ID.String(), r.Kind.String(), level, r.Tenant, r.App,
		whole(r.Release), r.Replica, r.Method, r.Route, r.URL, whole(r.Status), r.Msg,
		decimal(r.CPU), decimal(r.Disk), decimal(r.Swap), decimal(r.Mem), decimal(r.Dur), decimal(r.Queue), decimal(r.CPUMs), decimal(r.DBMs), decimal(r.Bytes),
		r.Req, r.Exc, string(r.Extra))
	return c.out.Write(c.row)
}

// Close implements lineWriter.
func (c *csvWriter) Close() error {
	if err := c.names(); err != nil {
		return err
	}
	c.out.Flush()
	return c.out.Error()
}

func (c *csvWriter) names() error {
	if c.head {
		return nil
	}
	c.head = true
	return c.out.Write(columns)
}

func whole(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func decimal(n record.Number) string {
	if !n.Known {
		return ""
	}
	return strconv.FormatFloat(n.Value, 'f', -1, 64)
}
