package archive

import (
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"kurama/logship/record"
)

// rowsPerGroup bounds the memory of a Parquet download: a group is held until
// it is full.
const rowsPerGroup = 50_000

// row is a record as Parquet has it: typed columns, null where unknown.
type row struct {
	Time    int64    `parquet:"ts,timestamp(microsecond),delta"`
	ID      [16]byte `parquet:"id,uuid"`
	Kind    string   `parquet:"kind,dict"`
	Level   *string  `parquet:"level,optional,dict"`
	Tenant  string   `parquet:"tenant,dict"`
	App     string   `parquet:"app,dict"`
	Release *int32   `parquet:"release,optional"`
	Replica string   `parquet:"replica,dict"`
	Method  *string  `parquet:"method,optional,dict"`
	Route   *string  `parquet:"route,optional,dict"`
	URL     *string  `parquet:"url,optional"`
	Status  *int32   `parquet:"status,optional"`
	Msg     string   `parquet:"msg"`
	CPU     *float64 `parquet:"cpu,optional"`
	Disk    *float64 `parquet:"disk,optional"`
	Swap    *float64 `parquet:"swap,optional"`
	Mem     *float64 `parquet:"mem,optional"`
	Dur     *float64 `parquet:"dur,optional"`
	Queue   *float64 `parquet:"queue,optional"`
	CPUMs   *float64 `parquet:"cpu_ms,optional"`
	DBMs    *float64 `parquet:"db_ms,optional"`
	Bytes   *float64 `parquet:"bytes,optional"`
	Req     *string  `parquet:"req,optional"`
	Exc     *string  `parquet:"exc,optional"`
	Extra   *string  `parquet:"extra,optional,json"`
}

// parquetWriter writes one Parquet file.
type parquetWriter struct {
	out  *parquet.GenericWriter[row]
	rows []row
	held int // rows in the open group
}

func newParquetWriter(w io.Writer) *parquetWriter {
	return &parquetWriter{out: parquet.NewGenericWriter[row](w, parquet.Compression(&zstd.Codec{Level: zstd.SpeedDefault}),
		parquet.CreatedBy("kurama", "1", "archive"))}
}

// Line implements lineWriter. A line that is no record is left out.
func (p *parquetWriter) Line(line []byte) error {
	var r record.Record
	if record.Decode([]byte(string(line)), &r) != nil { // a copy: the row is kept until the next write
		return nil
	}
	p.rows = append(p.rows, rowOf(&r))
	if len(p.rows) < 1000 {
		return nil
	}
	return p.write()
}

func (p *parquetWriter) write() error {
	if _, err := p.out.Write(p.rows); err != nil {
		return err
	}
	p.held += len(p.rows)
	p.rows = p.rows[:0]
	if p.held < rowsPerGroup {
		return nil
	}
	p.held = 0
	return p.out.Flush()
}

// Close implements lineWriter.
func (p *parquetWriter) Close() error {
	if err := p.write(); err != nil {
		return err
	}
	return p.out.Close()
}

func rowOf(r *record.Record) row {
	to := row{Time: r.Time.UnixMicro(), ID: r.ID, Kind: r.Kind.String(), Tenant: r.Tenant, App: r.App, Release: known(r.Release),
		Replica: r.Replica, Method: text(r.Method), Route: text(r.Route), URL: text(r.URL), Status: known(r.Status), Msg: valid(r.Msg),
		CPU: float(r.CPU), Disk: float(r.Disk), Swap: float(r.Swap), Mem: float(r.Mem), Dur: float(r.Dur), Queue: float(r.Queue),
		CPUMs: float(r.CPUMs), DBMs: float(r.DBMs), Bytes: float(r.Bytes), Req: text(r.Req), Exc: text(r.Exc), Extra: text(string(r.Extra))}
	if r.Level != 0 {
		to.Level = text(r.Level.String())
	}
	return to
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	s = valid(s)
	return &s
}

// valid makes s fit for a column of UTF-8.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func known(n int) *int32 {
	if n == 0 {
		return nil
	}
	v := int32(n)
	return &v
}

func float(n record.Number) *float64 {
	if !n.Known {
		return nil
	}
	return &n.Value
}
